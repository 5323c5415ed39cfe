"""``mmrefine view-targets``: look at SegFix's training targets."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

DESCRIPTION = (
    'Draw boundary band and directions over an image, to see whether the targets made from your '
    'label maps are what you want'
)
EPILOG = """
example:
  mmrefine view-targets photo.jpg labels.png targets.png
"""


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add the arguments."""
    parser.add_argument('image', help='image, or folder of images')
    parser.add_argument('labels', help='label map (.png, .npy), or folder of label maps')
    parser.add_argument('out', help='picture (.png), or folder for pictures')
    parser.add_argument(
        '--width', type=float, default=5, help="band in pixels, the paper's gamma (default 5; inf)"
    )
    parser.add_argument(
        '--num-directions', type=int, default=8, help="the paper's m: 4, 8, 16 or 32 (default 8)"
    )
    parser.add_argument('--kernel-size', type=int, default=9, help='Sobel kernel (default 9)')
    parser.add_argument(
        '--ignore-index', type=int, default=255, help='label without targets (default 255)'
    )
    parser.add_argument('--zoom', type=int, default=2, help='enlargement (default 2)')
    parser.add_argument(
        '--max-images', type=int, default=10, help='of a folder, draw so many (default 10)'
    )
    parser.add_argument('--image-suffix', default='', help='end of image names, e.g. _leftImg8bit')
    parser.add_argument(
        '--label-suffix', default='', help='end of label map names, e.g. _gtFine_labelTrainIds'
    )


def run(args: argparse.Namespace) -> int:
    """Draw the pictures."""
    from ..runs.opencv_log import silence_opencv

    silence_opencv()
    if math.isnan(args.width):
        raise ValueError('--width: expected a number of pixels or inf')
    for image, labels, out in _pairs(args):
        _draw(image, labels, out, args)
    return 0


def _pairs(args: argparse.Namespace) -> list[tuple[Path, Path, Path]]:
    """Image, label map and picture."""
    from ..files.find import IMAGE_SUFFIXES, FileIndex, find_files
    from ..files.label_maps import LABEL_SUFFIXES

    if Path(args.labels).is_file() or not Path(args.image).is_dir():
        if Path(args.out).suffix.lower() != '.png':
            raise ValueError(f'{args.out}: expected a .png file')
        return [(Path(args.image), Path(args.labels), Path(args.out))]
    images = find_files(args.image, IMAGE_SUFFIXES, args.image_suffix)
    labels = find_files(args.labels, LABEL_SUFFIXES, args.label_suffix)
    index = FileIndex([(file.name, file) for file in images])
    found = []
    for file in labels[: args.max_images]:
        try:
            image = index.find(file.name)
        except LookupError as error:
            raise ValueError(f'{file.path}: {error}') from error
        found.append((image.path, file.path, Path(args.out) / f'{file.name}.png'))
    return found


def _draw(image: Path, labels: Path, out: Path, args: argparse.Namespace) -> None:
    import cv2

    from ..files.label_maps import read_label_map
    from ..files.whole_files import write_whole_file
    from ..pictures.directions import draw_targets
    from ..refiners import load_image

    if out.resolve() in (image.resolve(), labels.resolve()):
        raise ValueError(f'{out}: is an input, which would be overwritten')
    label_map = read_label_map(labels).labels
    array = load_image(image)
    if array.shape[:2] != label_map.shape:
        raise ValueError(
            f'{labels}: expected the size of {image}, {array.shape[0]}x{array.shape[1]} '
            f'(height x width), got {label_map.shape[0]}x{label_map.shape[1]}'
        )
    picture = draw_targets(
        array,
        label_map,
        args.width,
        args.num_directions,
        args.kernel_size,
        args.ignore_index,
        args.zoom,
    )
    write_whole_file(out, cv2.imencode('.png', picture)[1].tobytes())
    print(out)
