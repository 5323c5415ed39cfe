"""The arguments of ``mmrefine refine`` besides those of refiners, and what goes together."""

import argparse
from pathlib import Path

from ..methods import whole_number
from .evaluate_options import add_pattern


def add_places(parser: argparse.ArgumentParser, images: str, masks: str, out: str) -> None:
    """Add what is read and what is written."""
    parser.add_argument('images', metavar='IMAGES', help=images)
    parser.add_argument('masks', metavar='MASKS', help=masks)
    parser.add_argument('out', metavar='OUT', help=out)
    parser.add_argument('--overwrite', action='store_true', help='refine again what is there')


def add_image_suffix(parser: argparse.ArgumentParser) -> None:
    """Add how names of images end."""
    parser.add_argument('--image-suffix', default='', help='end of image names, e.g. _leftImg8bit')


def add_mask_suffix(parser: argparse.ArgumentParser) -> None:
    """Add how names of label maps end."""
    parser.add_argument(
        '--mask-suffix', default='', help='end of label map names, e.g. _gtFine_labelIds'
    )


def add_label_rules(parser: argparse.ArgumentParser) -> None:
    """Add what labels mean."""
    group = parser.add_argument_group('labels')
    group.add_argument(
        '--ignore-index',
        type=_ignored_label,
        default='auto',
        help='label that is left alone, or none (default: 255 in 8-bit maps, none in others)',
    )
    group.add_argument(
        '--label-ids',
        choices=['plain', 'cityscapes'],
        default='plain',
        help='cityscapes: label or instance ids, whose void classes are left alone',
    )
    group.add_argument('--num-classes', type=whole_number, help='refuse labels from this number on')


def add_steady(parser: argparse.ArgumentParser) -> None:
    """Add how frames of a video listen to their neighbours."""
    _add_steady(parser.add_argument_group('videos'))


def add_steady_images(parser: argparse.ArgumentParser) -> None:
    """Add how images listen to their neighbours, and which are neighbours."""
    group = parser.add_argument_group('videos')
    _add_steady(group)
    add_pattern(group)


def _add_steady(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--steady',
        type=whole_number,
        nargs='?',
        const=1,
        metavar='N',
        help='frames of videos: decide at boundaries together with N frames before and after '
        '(default 1), found by optical flow, so that boundaries flicker less',
    )


def refuse_steady(parser: argparse.ArgumentParser) -> None:
    """Say why instances do not listen to those of neighbouring frames."""
    parser.add_argument('--steady', nargs='?', action=_Unsteady, help=argparse.SUPPRESS)


class _Unsteady(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        parser.error(
            '--steady: for label maps and videos only; files of instances do not tell which mask '
            'of a frame is which of the next'
        )


def add_annotations(parser: argparse.ArgumentParser) -> None:
    """Add what names the images of results."""
    parser.add_argument(
        '--annotations',
        help='COCO annotations that name the image of each id; not needed where ids are the file '
        'names or the numbers in them',
    )


def add_mask_rules(parser: argparse.ArgumentParser) -> None:
    """Add how instance masks are read and written."""
    group = parser.add_argument_group('masks')
    group.add_argument(
        '--format',
        choices=['coco', 'sam', 'labelme', 'yolo', 'mmdet'],
        help='what MASKS must be (default: seen from its content)',
    )
    group.add_argument(
        '--polygons',
        action=argparse.BooleanOptionalAction,
        help='write polygons, or run lengths (default: polygons where polygons came in)',
    )
    group.add_argument(
        '--tolerance',
        type=float,
        default=0.5,
        help='how far polygons may be from the mask, pixels (default 0.5)',
    )


def add_resize(parser: argparse.ArgumentParser) -> None:
    """Add what is done with masks of another size."""
    parser.add_argument(
        '--resize-masks',
        action='store_true',
        help="bring masks of another size to the image's, as those at a network's resolution",
    )


def add_bands(parser: argparse.ArgumentParser) -> None:
    """Add which bands of images are looked at."""
    parser.add_argument(
        '--bands',
        type=whole_number,
        nargs=3,
        metavar=('RED', 'GREEN', 'BLUE'),
        help='numbers of the bands to look at, from 1, of images with more than 4 bands or floats',
    )
    parser.add_argument(
        '--loader',
        metavar='MODULE:FUNCTION',
        help='a Python function of yours that reads images: from a path to a BGR uint8 array; it '
        'is imported and run, from the current folder too. Images that are no PNG, JPEG, BMP, TIFF '
        "or WebP are named by a pattern: 'scans/*.npy'",
    )


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """Add what is drawn."""
    group = parser.add_argument_group('pictures')
    group.add_argument(
        '--visualize',
        metavar='DIR',
        help='draw before and after into this folder; or into a video, where it ends with .mp4',
    )
    group.add_argument(
        '--fps', type=float, help="images a second of the video (default: a video's own, or 25)"
    )
    group.add_argument(
        '--ground-truth',
        metavar='PATH',
        help='tell fixed from broken pixels: label maps named as the images for label maps; COCO '
        'annotations (.json) for instances',
    )


def add_true_suffix(parser: argparse.ArgumentParser) -> None:
    """Add how names of true label maps end."""
    parser.add_argument(
        '--gt-suffix', help='end of names in --ground-truth, e.g. _gtFine_labelTrainIds'
    )


def add_processes(parser: argparse.ArgumentParser) -> None:
    """Add what shares the work among processes."""
    group = parser.add_argument_group('several processes')
    group.add_argument(
        '--jobs',
        type=whole_number,
        default=1,
        metavar='N',
        help='processes on this machine, each with a part of the images (default 1)',
    )
    group.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    group.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def check_options(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """End with a usage error where options have no effect, or cannot be followed."""
    video = args.visualize and Path(args.visualize).suffix.lower() == '.mp4'
    if getattr(args, 'pattern', None) is not None and not args.steady:
        parser.error('--pattern: has no effect without --steady')
    if args.fps is not None and not video:
        parser.error('--fps: has no effect without --visualize VIDEO.mp4')
    if args.ground_truth is not None and not args.visualize:
        parser.error('--ground-truth: has no effect without --visualize')
    if getattr(args, 'gt_suffix', None) is not None and args.ground_truth is None:
        parser.error('--gt-suffix: has no effect without --ground-truth')
    if args.ground_truth is not None and video:
        parser.error('--ground-truth: has no effect on a video, which shows no changed pixels')
    if video and (args.launcher != 'none' or args.jobs > 1):
        parser.error(
            '--visualize: a video is made by one process; give a folder, or no --launcher and no '
            '--jobs'
        )
    if args.launcher != 'none' and args.jobs > 1:
        parser.error('--jobs: starts processes itself; give no --launcher')


def check_places(args: argparse.Namespace) -> None:
    """Refuse pictures among other files, and to write over the ground truth.

    Raises:
        ValueError: if ``--visualize`` or ``OUT`` is such a place.
    """
    if not args.visualize:
        return
    given = dict(IMAGES=args.images, MASKS=args.masks, OUT=args.out)
    if args.ground_truth:
        given['the ground truth'] = args.ground_truth
    places = {name: Path(path).resolve() for name, path in given.items()}
    where, out = Path(args.visualize).resolve(), places['OUT']
    for name, place in places.items():
        if where == place or (where.suffix != '.mp4' and place in where.parents):
            raise ValueError(f'--visualize: expected a place outside of {name}, {place}')
    if places.get('the ground truth') in (out, *out.parents):
        raise ValueError(f'{args.out}: expected a place outside of the ground truth')


def _ignored_label(text: str) -> int | str | None:
    return {'none': None, 'auto': 'auto'}[text] if text in ('none', 'auto') else int(text)
