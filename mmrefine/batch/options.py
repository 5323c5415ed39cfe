"""The options of ``tools/refine.py``, and which of them go together."""

import argparse
from pathlib import Path

from ..files.video_frames import is_video
from .cityscapes import is_cityscapes_folder

EPILOG = """
examples:
  refine.py photos predictions refined
  refine.py photos predictions refined --checkpoint my_segfix.pth --num-classes 11
  refine.py leftImg8bit/val results refined --image-suffix _leftImg8bit \\
      --mask-suffix _gtFine_labelIds --label-ids cityscapes
  refine.py photos results.segm.json refined.segm.json --annotations instances_val.json
  refine.py photos results.segm.json refined.segm.json --method bpr --iou-threshold 0.55
  refine.py leftImg8bit/val maskrcnn_val refined_val --method bpr
  refine.py photos predictions refined --offsets offset_semantic/val
  refine.py frames predictions refined --visualize pictures --ground-truth labels
  refine.py clip.mp4 predictions refined --visualize refined.mp4
  torchrun --nproc_per_node 4 refine.py photos predictions refined --launcher pytorch

Label maps keep their form: palette, 8-bit or 16-bit PNG, or .npy. Images are read as mmseg reads
them, with their EXIF orientation applied. Of COCO results and Cityscapes result folders (*_pred.txt
and PNGs), only masks change; those that cannot be refined are listed and stay as they are. What is
refined already is skipped; so after an interruption, the same command goes on. The exit status is 1
if anything failed.
"""
LABEL_MAP_OPTIONS = (
    'ignore_index',
    'label_ids',
    'num_classes',
    'image_suffix',
    'mask_suffix',
    'gt_suffix',
)
# By what there is to refine.
OPTIONS_OF_OTHERS = {
    'label maps': ('annotations',),
    'COCO results': LABEL_MAP_OPTIONS,
    'Cityscapes results': (*LABEL_MAP_OPTIONS, 'annotations'),
}
SEGFIX_OPTIONS = ('scale', 'steps', 'min_confidence', 'offsets', 'save_offsets')
BPR_OPTIONS = ('iou_threshold', 'min_score_gain', 'batch_size')
REFINER_OPTIONS = ('scale', 'steps', 'min_confidence', *BPR_OPTIONS)
# What offset fields from files leave no room for.
NETWORK_OPTIONS = (
    'method',
    'config',
    'checkpoint',
    'device',
    'save_offsets',
    'min_confidence',
    *BPR_OPTIONS,
)


def _whole_number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'expected 1 or more, got {number}')
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f'expected 0 to 1, got {number}')
    return number


def _ignored_label(text: str) -> int | str | None:
    return {'none': None, 'auto': 'auto'}[text] if text in ('none', 'auto') else int(text)


def read_options() -> argparse.Namespace:
    """Read the command line; ``kind`` in addition: a key of ``OPTIONS_OF_OTHERS``.

    Ends the process with status 2 where options do not fit together.
    """
    parser = _build_parser()
    args = parser.parse_args()
    args.kind = _kind_of(args.masks)
    _check_together(parser, args)
    return args


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Refine the boundaries of masks that any model predicted',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'images',
        help='folder (with subfolders), file or quoted pattern of images; or a video, with one '
        'label map for each frame',
    )
    parser.add_argument(
        'masks',
        help='folder of label maps named as the images, one label map, COCO results (.json), or a '
        'Cityscapes result folder',
    )
    parser.add_argument('out', help='folder for the refined ones; a file where MASKS is one')
    parser.add_argument('--overwrite', action='store_true', help='refine again what is there')
    _add_refiner(parser.add_argument_group('the refiner'))
    _add_segfix(parser.add_argument_group('segfix'))
    _add_bpr(parser.add_argument_group('bpr'))
    _add_label_maps(parser.add_argument_group('label maps'))
    group = parser.add_argument_group('COCO results')
    group.add_argument(
        '--annotations',
        help='COCO annotations that name the image of each id; not needed where ids are the file '
        'names or the numbers in them',
    )
    _add_pictures(parser.add_argument_group('pictures'))
    group = parser.add_argument_group('several processes')
    group.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    group.add_argument('--local_rank', '--local-rank', type=int, default=0)
    return parser


def _add_refiner(group: argparse._ArgumentGroup) -> None:
    kind = group.add_mutually_exclusive_group()
    kind.add_argument('--method', help='segfix (default) or bpr')
    kind.add_argument('--config', help='config with refiner = dict(...), or of its network')
    group.add_argument('--checkpoint', help='weights; default: those that come with the method')
    group.add_argument('--device', help='for example cpu or cuda:1; default: a GPU if there is one')


def _add_segfix(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--scale',
        type=_whole_number,
        help='how far labels are fetched (default: that of the weights)',
    )
    group.add_argument('--steps', type=_whole_number, help='most steps along the field (default 1)')
    group.add_argument(
        '--min-confidence',
        type=_share,
        help='how sure changes must be, below 1; 0: the most probable direction decides, as '
        'published (default: that of the weights)',
    )
    offsets = group.add_mutually_exclusive_group()
    offsets.add_argument(
        '--save-offsets',
        metavar='DIR',
        help='keep the offset fields, as .npz, and refine with them, as with --min-confidence 0',
    )
    offsets.add_argument(
        '--offsets', metavar='DIR', help='use offset fields: our .npz or the released .mat'
    )


def _add_bpr(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--iou-threshold', type=_share, help='NMS of patches: higher takes more (default 0.25)'
    )
    group.add_argument(
        '--min-score-gain',
        type=_share,
        help='how sure changes must be, 0 to 1 (default: that of the weights)',
    )
    group.add_argument('--batch-size', type=_whole_number, help='patches at a time (default 32)')


def _add_label_maps(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--image-suffix', help='end of image names, e.g. _leftImg8bit')
    group.add_argument('--mask-suffix', help='end of label map names, e.g. _gtFine_labelIds')
    group.add_argument(
        '--ignore-index',
        type=_ignored_label,
        default='auto',
        help='label that is left alone, or none (default: 255 in 8-bit maps, none in others)',
    )
    group.add_argument(
        '--label-ids',
        choices=['plain', 'cityscapes'],
        help='cityscapes: label or instance ids, whose void classes are left alone',
    )
    group.add_argument(
        '--num-classes', type=_whole_number, help='refuse labels from this number on'
    )


def _add_pictures(group: argparse._ArgumentGroup) -> None:
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
        help='tell fixed from broken pixels: folder of label maps of the same names, or one label '
        'map where MASKS is one; COCO annotations (.json) for instances',
    )
    group.add_argument('--gt-suffix', help='end of their names, e.g. _gtFine_labelTrainIds')


def _kind_of(masks: str) -> str:
    """What there is to refine: a key of ``OPTIONS_OF_OTHERS``."""
    if Path(masks).suffix == '.json':
        return 'COCO results'
    return 'Cityscapes results' if is_cityscapes_folder(masks) else 'label maps'


def _check_together(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse options that would have no effect."""
    without_effect = {args.kind: OPTIONS_OF_OTHERS[args.kind]}
    if args.offsets:
        without_effect['--offsets'] = NETWORK_OPTIONS
    if args.save_offsets:
        without_effect['--save-offsets'] = ('min_confidence',)
    if args.method == 'bpr':
        without_effect['--method bpr'] = SEGFIX_OPTIONS
    elif args.config is None and args.method in (None, 'segfix'):
        without_effect['segfix; it is an option of --method bpr'] = BPR_OPTIONS
    for reason, names in without_effect.items():
        for name in names:
            if getattr(args, name) not in (None, 'auto'):
                parser.error(f'--{name.replace("_", "-")}: has no effect with {reason}')
    _check_pictures(parser, args)
    if is_video(args.images):
        if args.kind != 'label maps':
            parser.error(
                f'{args.images}: a video is refined with a folder of label maps; for {args.kind}, '
                'give a folder of its frames'
            )
        if args.image_suffix:
            parser.error('--image-suffix: has no effect with a video')


def _check_pictures(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse options of pictures that would have no effect, or cannot be followed."""
    video = args.visualize and Path(args.visualize).suffix.lower() == '.mp4'
    if args.fps is not None and not video:
        parser.error('--fps: has no effect without --visualize VIDEO.mp4')
    if args.ground_truth is not None and not args.visualize:
        parser.error('--ground-truth: has no effect without --visualize')
    if args.gt_suffix is not None and args.ground_truth is None:
        parser.error('--gt-suffix: has no effect without --ground-truth')
    if args.ground_truth is not None and video:
        parser.error('--ground-truth: has no effect on a video, which shows no changed pixels')
    if video and args.launcher != 'none':
        parser.error('--visualize: a video is made by one process; give a folder, or no --launcher')


def check_places(args: argparse.Namespace) -> None:
    """Refuse pictures among other files, and to write over the ground truth.

    Raises:
        ValueError: if ``--visualize`` or ``OUT`` is such a place.
    """
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
