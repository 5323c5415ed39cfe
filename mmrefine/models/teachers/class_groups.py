"""Which classes of a teacher belong together, out of a JSON file."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from ...ops.ignored import IGNORED_BYTE

FOLDER = Path(__file__).parent / 'groups'
SHIPPED = tuple(sorted(path.stem for path in FOLDER.glob('*.json')))


class ClassGroups(NamedTuple):
    """Groups of classes.

    Attributes:
        names: Of the groups.
        group_of_class: The group of each class by its label, 255 for a class in no group.
    """

    names: tuple[str, ...]
    group_of_class: tuple[int, ...]


def read_groups(groups: str | os.PathLike) -> ClassGroups:
    """Read which classes belong together.

    Args:
        groups: The name of groups that come with the package, ``'cityscapes'``; or a JSON file,
            ``{"classes": [names in the order of labels], "groups": {name: [classes]}}``.

    Raises:
        ValueError: if there is no such file, it is not of this form, or a class is in two groups.
    """
    path = FOLDER / f'{groups}.json' if groups in SHIPPED else Path(groups)
    if not path.is_file():
        raise ValueError(
            f'groups: expected {", ".join(SHIPPED)} or a JSON file, got {str(groups)!r}'
        )
    try:
        content = json.loads(path.read_text('utf-8'))
        classes, members = list(content['classes']), dict(content['groups'])
        listed = [name for names in members.values() for name in names]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f'groups: {path} must hold {{"classes": [names], "groups": {{name: [classes]}}}}'
        ) from error
    for name in listed:
        if name not in classes:
            raise ValueError(f'groups: {path} names {name!r}, which is none of its classes')
        if listed.count(name) > 1:
            raise ValueError(f'groups: {path} has {name!r} in more than one group')
    if len(members) < 2:
        raise ValueError(f'groups: {path} must have two groups or more, has {len(members)}')
    number = {name: k for k, names in enumerate(members.values()) for name in names}
    return ClassGroups(tuple(members), tuple(number.get(name, IGNORED_BYTE) for name in classes))
