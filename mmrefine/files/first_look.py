"""Mistakes in what a user names that show without a network, told before one is loaded.

Each function raises what the whole run would end with: it is silent where one image could be
refined. Only names, heads of files and small JSON files are read; torch is not imported.
"""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .find import IMAGE_SUFFIXES, find_files, find_images
from .image_ids import ImageIds
from .json_files import read_json
from .label_map_pairs import LabelMapPairs, pair_label_maps
from .label_maps import LABEL_SUFFIXES, read_label_map
from .sizes import RESIZE_HINT, other_size_text, size_of_label_map, sizes_of_image

SWAPPED = '; IMAGES comes first, then MASKS: are they swapped?'
OF_INSTANCES = ('.json', '.txt', '.pkl', '.pickle')
# Larger files take longer to read than a network to load.
MOST_JSON, MOST_PIXELS = 2**26, 2**22
# So many pairs must look swapped: one may be odd.
LOOKED_AT = 3
PICKLE = b'\x80'


def look_at_label_maps(
    images: str | os.PathLike,
    masks: str | os.PathLike,
    out: str | os.PathLike,
    image_suffix: str = '',
    mask_suffix: str = '',
    sizes: bool = True,
) -> None:
    """Look at images and label maps.

    Args:
        images: As for ``pair_label_maps``, like those that follow.
        masks: Likewise.
        out: Likewise.
        image_suffix: Likewise.
        mask_suffix: Likewise.
        sizes: Whether a label map must be as large as its image.

    Raises:
        ValueError: as ``pair_label_maps``; if images and label maps are swapped, or all are of
            other sizes.
    """
    try:
        found = pair_label_maps(images, masks, out, image_suffix, mask_suffix)
    except ValueError as error:
        hint = SWAPPED if _are_swapped(images, masks) else ''
        raise ValueError(f'{error}{hint}') from error
    image, mask = found.pairs[0]
    some = found.pairs[:LOOKED_AT]
    if all(_is_photograph(m.path) and _is_label_map(i.path) for i, m in some):
        raise ValueError(f'{mask.path}: is a photograph, and {image.path} a label map{SWAPPED}')
    if sizes:
        _check_sizes(_pairs_of_other_size(found), len(found.pairs))


def look_at_instances(
    images: str | os.PathLike,
    masks: str | os.PathLike,
    annotations: str | os.PathLike | None = None,
    sizes: bool = True,
) -> None:
    """Look at images and a file, or a folder, of instances.

    Args:
        images: Folder, file or pattern of images.
        masks: The file or folder.
        annotations: What names the image of each id.
        sizes: Whether run lengths must be as large as their image.

    Raises:
        ValueError: if there are no images, images and masks are swapped, a JSON file is broken, or
            all masks are of other sizes.
    """
    try:
        found = find_images(images)
    except ValueError as error:
        hint = SWAPPED if _are_swapped(images, masks) else ''
        raise ValueError(f'{error}{hint}') from error
    path = Path(masks)
    if path.suffix.lower() != '.json' or not path.is_file() or path.stat().st_size > MOST_JSON:
        return
    content = read_json(path)
    if sizes and isinstance(content, list) and content:
        try:
            names = _names_by_id(annotations)
            ids = ImageIds(found, names)
            _check_sizes(_entries_of_other_size(path, content, ids), len(content))
        except (AttributeError, KeyError, LookupError, TypeError):
            return  # what is wrong with it is told entry by entry


def look_at_checkpoint(path: str | os.PathLike) -> None:
    """Look at the first bytes of weights.

    Raises:
        ValueError: if no library that writes checkpoints wrote them.
    """
    if Path(path).suffix == '.onnx' or zipfile.is_zipfile(path):
        return
    with Path(path).open('rb') as file:
        head = file.read(1)
    if head != PICKLE:  # what torch wrote before 1.6
        raise ValueError(
            f'checkpoint: {path} is not a torch checkpoint (incomplete download, web page, other '
            'file?)'
        )


def _are_swapped(images: str | os.PathLike, masks: str | os.PathLike) -> bool:
    """Whether what is given as masks holds images, and what is given as images may hold masks."""
    return _holds(masks, IMAGE_SUFFIXES) and _holds(images, (*LABEL_SUFFIXES, *OF_INSTANCES))


def _holds(where: str | os.PathLike, suffixes: tuple[str, ...]) -> bool:
    try:
        return bool(find_files(where, suffixes))
    except ValueError:
        return False


def _is_photograph(path: Path) -> bool:
    """Whether a small PNG has too many colours for a label map."""
    size = size_of_label_map(path)
    if size is None or size[0] * size[1] > MOST_PIXELS:
        return False
    try:
        read_label_map(path, colours=True)
    except (ValueError, ImportError) as error:
        return 'a photograph' in str(error)
    return False


def _is_label_map(path: Path) -> bool:
    try:
        read_label_map(path, colours=True)
    except (ValueError, ImportError):
        return False
    return True


def _check_sizes(lines: Iterator[str | None], number: int) -> None:
    """Raise the first line if there is one for each of ``number``."""
    first = next(lines)
    if first is not None and all(line is not None for line in lines):
        raise ValueError(f'{first}; so it is with all {number}' if number > 1 else first)


def _pairs_of_other_size(found: LabelMapPairs) -> Iterator[str | None]:
    """A line for each label map that is of another size, None for each that may fit."""
    for image, mask in found.pairs:
        sizes, size = sizes_of_image(image.path), size_of_label_map(mask.path)
        if not sizes or size is None or size in sizes:
            yield None
        else:
            yield other_size_text(mask.path, size, image.path, next(iter(sizes)))


def _names_by_id(annotations: str | os.PathLike | None) -> dict[Any, str] | None:
    if annotations is None:
        return None
    return {image['id']: image['file_name'] for image in read_json(annotations)['images']}


def _entries_of_other_size(path: Path, entries: list, ids: ImageIds) -> Iterator[str | None]:
    """A line for each mask that is of another size, None for each that may fit."""
    for place, entry in enumerate(entries):
        mask = entry['segmentation']
        size = tuple(mask['size']) if isinstance(mask, dict) else None
        image = ids.find(entry['image_id']).path
        sizes = sizes_of_image(image)
        if size is None or not sizes or size in sizes:
            yield None
        else:
            height, width = next(iter(sizes))
            yield (
                f'{path}: entry {place}: expected the size of {image}, {height}x{width} (height x '
                f'width), got {size[0]}x{size[1]}{RESIZE_HINT}'
            )
