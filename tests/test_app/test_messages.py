"""The page names what it has, not options of the command."""

import ast
import re
from pathlib import Path

import pytest

from mmrefine.app.messages import IN_WORDS_OF_THE_PAGE, for_page

PACKAGE = Path(__file__).parents[2] / 'mmrefine'
OPTION = re.compile(r'(?<![\w-])--[a-z]')


def texts(path: Path) -> list[str]:
    """All texts of a file but docstrings, what is put into them left out."""
    tree = ast.parse(path.read_text('utf-8'))
    alone = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    whole = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = {part for node in whole for part in ast.walk(node) if part is not node}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (v.value if isinstance(v, ast.Constant) else 'X' for v in node.values)
            found.append(''.join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [] if node in alone | inside else [node.value]
    return found


def test_no_message_of_refining_names_an_option():
    files = [
        path
        for part in ('batch', 'files', 'ops', 'refiners')
        for path in sorted(PACKAGE.rglob(f'{part}/**/*.py'))
    ]
    of_other_commands = {'as_coco.py', 'made_with.py', 'video_frames.py'}
    found = [
        text
        for path in files
        if path.name not in of_other_commands
        for text in texts(path)
        if OPTION.search(text)
    ]
    assert len(found) >= len(IN_WORDS_OF_THE_PAGE)
    for text in found:
        assert not OPTION.search(for_page(text)), text
    for said in IN_WORDS_OF_THE_PAGE:
        assert any(said in text for text in found), f'nothing says {said}'


@pytest.mark.parametrize(
    ('said', 'here'),
    [
        ('a.png: got 3x4; --new-option helps', 'a.png: got 3x4'),
        ('a; b (--new-option X) c; d', 'a; d'),
        ('a -- b; c--d', 'a -- b; c--d'),
        (
            'got 3x4; --resize-masks brings it to that',
            'got 3x4; tick "resize masks" to bring it to that',
        ),
    ],
)
def test_messages(said, here):
    assert for_page(said) == here
