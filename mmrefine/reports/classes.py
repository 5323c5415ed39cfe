"""Names and colours of the classes of a data set."""

import colorsys
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmseg.utils import dataset_aliases, get_classes, get_palette

from ..files.json_files import read_json

OWN_DATASETS = {'camvid': 'CamVidDataset'}
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class ClassList:
    """The classes of a data set, in the order of their labels.

    Attributes:
        names: C names.
        palette: C colours, RGB.
    """

    names: tuple[str, ...]
    palette: tuple[Colour, ...]


def dataset_names() -> list[str]:
    """Every name that ``dataset_classes`` takes."""
    aliases = {name for names in dataset_aliases.values() for name in names}
    return sorted({*OWN_DATASETS, *aliases}, key=str.lower)


def dataset_classes(name: str) -> ClassList:
    """Classes of a data set that mmseg or mmrefine knows.

    Args:
        name: As for ``mmseg.utils.get_classes``, or ``'camvid'``.

    Raises:
        ValueError: if there is no such data set.
    """
    if name in OWN_DATASETS:
        from .. import datasets

        known = getattr(datasets, OWN_DATASETS[name]).METAINFO
        return class_list(known['classes'], known['palette'])
    if name not in dataset_names():
        raise ValueError(f'dataset: expected one of {", ".join(dataset_names())}, got {name!r}')
    names = get_classes(name)
    try:
        return class_list(names, get_palette(name))
    except ValueError:
        return class_list(names)  # mmseg 1.2 has no palette, or a broken one, for some


def read_classes(path: str | os.PathLike) -> ClassList:
    """Classes from a JSON file.

    Args:
        path: A list of names, or an object as mmseg's ``METAINFO``: ``classes`` and, if wanted,
            ``palette``, RGB.

    Raises:
        ValueError: if there is no such file or it holds something else. The text names the file.
    """
    content = read_json(path)
    if isinstance(content, list):
        content = {'classes': content}
    if not isinstance(content, dict) or 'classes' not in content:
        raise ValueError(
            f'{path}: expected a list of class names, or an object with classes and palette'
        )
    try:
        return class_list(content['classes'], content.get('palette'))
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def class_list(names: Sequence[str], palette: Any = None) -> ClassList:
    """Check names and colours.

    Args:
        names: C names.
        palette: C colours, RGB, 0 to 255; by default as many different ones as there are names.

    Raises:
        ValueError: if there are no names, one is no text or there twice, or the colours do not
            fit.
    """
    if not isinstance(names, Sequence) or not names or not all(isinstance(n, str) for n in names):
        raise ValueError(f'classes: expected a list of names, got {names!r}')
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if list(names).count(name) > 1})
        raise ValueError(f'classes: every name once, got more of {", ".join(twice)}')
    if palette is None:
        return ClassList(tuple(names), distinct_colours(len(names)))
    try:
        colours = tuple((int(red), int(green), int(blue)) for red, green, blue in palette)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError('palette: expected a list of colours [red, green, blue]') from error
    if len(colours) != len(names) or not all(0 <= v <= 255 for c in colours for v in c):
        raise ValueError(
            f'palette: expected {len(names)} colours of 0 to 255, as there are classes, got '
            f'{len(colours)}: {list(colours[:3])} ...'
        )
    return ClassList(tuple(names), colours)


def distinct_colours(number: int) -> tuple[Colour, ...]:
    """Colours far from each other: around the colour circle by the golden angle."""
    colours = []
    for index in range(number):
        shade = colorsys.hsv_to_rgb(index * 0.618034 % 1, (0.6, 0.9)[index % 2], 0.85)
        red, green, blue = (round(255 * part) for part in shade)
        colours.append((red, green, blue))
    return tuple(colours)
