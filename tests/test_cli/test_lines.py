"""What is printed of files cannot command the terminal."""

import pytest

from mmrefine.cli.lines import plain


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('a\x1b[2Jb', r'a\x1b[2Jb'),
        ('\x1b]0;title\x07', r'\x1b]0;title\x07'),
        ('a\rb\x08', r'a\x0db\x08'),
        ('line\n\tline, é 画像', 'line\n\tline, é 画像'),
        ('\x9b31m\u202e', r'\x9b31m\x202e'),
    ],
)
def test_control_characters_are_shown(text, shown):
    assert plain(text) == shown
