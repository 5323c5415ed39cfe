"""Which label map belongs to which image, and where its refined one goes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .find import FileIndex, FoundFile, check_out_folder, find_files, find_images
from .label_maps import LABEL_SUFFIXES


@dataclass(frozen=True)
class LabelMapPairs:
    """Images and label maps.

    Attributes:
        pairs: An image and its label map, each.
        targets: Where the refined one of each goes.
        missing: A line for each image without a label map, and each label map without an image;
            of images that are named by a file or a pattern, none.
    """

    pairs: Sequence[tuple[FoundFile, FoundFile]]
    targets: Sequence[Path]
    missing: Sequence[str]


def pair_label_maps(
    images: str | os.PathLike,
    masks: str | os.PathLike,
    out: str | os.PathLike,
    image_suffix: str = '',
    mask_suffix: str = '',
) -> LabelMapPairs:
    """Bring images and label maps together by name.

    Args:
        images: Folder, file or pattern of images.
        masks: Folder or file of label maps.
        out: Folder for the refined ones, which keep their names and subfolders; a file where
            ``masks`` is one.
        image_suffix: How the stems of images end after the name they share with their label
            maps, for example ``_leftImg8bit``.
        mask_suffix: The same for label maps, for example ``_gtFine_labelIds``.

    Raises:
        ValueError: if nothing is found, no two names are equal, or an output would overwrite
            an input.
    """
    found_images = find_images(images, image_suffix)
    found_masks = find_files(masks, LABEL_SUFFIXES, mask_suffix)
    missing: list[str] = []
    if Path(masks).is_file():
        pairs = [_single_pair(images, found_images, found_masks[0], Path(out))]
        targets = [Path(out)]
    else:
        check_out_folder(Path(out), [Path(images), Path(masks)])
        pairs, without_image = _pairs(found_images, found_masks)
        if not pairs:
            raise ValueError(_no_pair(found_images[0], found_masks[0]))
        if Path(images).is_dir():  # who names some images wants only those
            missing = without_image
        missing += _without_label_map(found_images, pairs, masks, mask_suffix)
        targets = [Path(out) / mask.relative for _, mask in pairs]
    inputs = {file.path.resolve() for file in [*found_images, *found_masks]}
    for target in targets:
        if target.resolve() in inputs:
            raise ValueError(f'{target}: is an input, which would be overwritten')
    return LabelMapPairs(pairs, targets, missing)


def _pairs(
    images: Sequence[FoundFile], masks: Sequence[FoundFile]
) -> tuple[list[tuple[FoundFile, FoundFile]], list[str]]:
    """Image and label map of each name, and a line for each label map without an image."""
    index = FileIndex([(image.name, image) for image in images])
    pairs, missing = [], []
    for mask in masks:
        try:
            pairs.append((index.find(mask.name), mask))
        except LookupError as error:
            missing.append(f'{mask.path}: {error}')
    return pairs, missing


def _no_pair(image: FoundFile, mask: FoundFile) -> str:
    return (
        f'{mask.path}: no label map has the name of an image, one image is {image.path}; where '
        'names end differently, --image-suffix and --mask-suffix say how, for example '
        '--image-suffix _leftImg8bit'
    )


def _without_label_map(
    images: Sequence[FoundFile],
    pairs: Sequence[tuple[FoundFile, FoundFile]],
    masks: str | os.PathLike,
    mask_suffix: str,
) -> list[str]:
    """A line for each image without a label map."""
    used = {image.path for image, _ in pairs}
    return [
        f'{image.path}: no label map for it, expected {image.name}{mask_suffix}.png in {masks}'
        for image in images
        if image.path not in used
    ]


def _single_pair(
    where: str | os.PathLike, images: Sequence[FoundFile], mask: FoundFile, out: Path
) -> tuple[FoundFile, FoundFile]:
    if len(images) != 1:
        raise ValueError(f'{where}: expected one image, as {mask.path} is one label map')
    if out.is_dir() or out.suffix.lower() != mask.path.suffix.lower():
        raise ValueError(f'{out}: expected a file {mask.path.suffix}, as {mask.path} is one')
    return images[0], mask
