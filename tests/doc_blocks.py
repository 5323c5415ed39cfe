"""The fenced blocks of a Markdown page, and what the shell would make of their commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import NamedTuple

FENCE = re.compile(
    r'(?P<run><!-- run -->\n)?^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```',
    re.M | re.S,
)
ASSIGNMENT = re.compile(r'\w+=')


class Block(NamedTuple):
    """A fenced block.

    Attributes:
        language: ``python``, ``bash``, ...
        text: What is between the fences.
        run: Whether ``<!-- run -->`` stands before it.
    """

    language: str
    text: str
    run: bool


class Command(NamedTuple):
    """A command.

    Attributes:
        words: Its words, variables replaced.
        environment: Variables that are set for it alone.
        run: Whether its block is to be run.
    """

    words: list[str]
    environment: dict[str, str]
    run: bool


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, indented ones too."""
    found = []
    for match in FENCE.finditer(page.read_text('utf-8')):
        lines = match['text'].splitlines(keepends=True)
        text = ''.join(line.removeprefix(match['indent']) for line in lines)
        found.append(Block(match['language'], text, match['run'] is not None))
    return found


def commands(page: Path) -> Iterator[Command]:
    """The commands in the shell blocks of a page; lines that end in a backslash are joined."""
    for block in blocks(page):
        variables: dict[str, str] = {}
        if block.language not in ('bash', 'sh', 'shell', 'console'):
            continue
        for line in re.sub(r'\\\n', ' ', block.text).splitlines():
            words = shlex.split(Template(line).safe_substitute(variables), comments=True)
            own = {}
            while words and ASSIGNMENT.match(words[0]):
                name, _, own[name] = words.pop(0).partition('=')
            if words:
                yield Command(words, own, block.run)
            else:
                variables |= own
