"""``mmrefine refine``: refine the masks that any model predicted.

Each kind of input is an object of ``mmrefine.batch`` with a task an image; a task writes what
it refined.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.find import check_exists
from ..files.kinds import kind_of_input
from .lines import check_kind
from .methods import (
    add_refiner,
    check_refiner,
    offered_methods,
    offset_folder,
    settings_made_with,
)
from .refine_options import (
    add_annotations,
    add_bands,
    add_image_suffix,
    add_label_rules,
    add_mask_rules,
    add_mask_suffix,
    add_pictures,
    add_places,
    add_processes,
    add_resize,
    add_steady,
    add_steady_images,
    add_true_suffix,
    check_options,
    check_places,
    refuse_steady,
)

if TYPE_CHECKING:
    from ..batch.tasks import Work
    from ..batch.truth import GroundTruth
    from ..files.label_ids import LabelRules

DESCRIPTION = 'Refine the boundaries of masks that any model predicted'
EPILOG = """
Where KIND is left out (mmrefine refine IMAGES MASKS OUT ...), it is seen from MASKS and IMAGES.

examples:
  mmrefine refine label-maps photos predictions refined
  mmrefine refine label-maps photos predictions refined --checkpoint my_segfix.pth
  mmrefine refine label-maps leftImg8bit/val results refined --image-suffix _leftImg8bit \\
      --mask-suffix _gtFine_labelIds --label-ids cityscapes
  mmrefine refine label-maps photos predictions refined --visualize pictures --ground-truth labels
  mmrefine refine coco photos results.segm.json refined.segm.json --method bpr
  mmrefine refine coco photos results.segm.json out.json --annotations instances_val.json
  mmrefine refine coco photos instances_train.json cleaned.json
  mmrefine refine instances images/train labels/train refined/train
  mmrefine refine cityscapes leftImg8bit/val maskrcnn_val refined_val --method bpr
  mmrefine refine video clip.mp4 predictions refined --visualize refined.mp4
  mmrefine refine label-maps frames predictions refined --steady
  mmrefine refine label-maps photos predictions refined --jobs 4
  torchrun --nproc_per_node 4 -m mmrefine refine label-maps photos predictions refined \\
      --launcher pytorch

Images are read as mmseg reads them, with their EXIF orientation applied. What is refined already
is skipped; so after an interruption, the same command goes on. The exit status is 1 if anything
failed.
"""


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        help: What it is, in a sentence.
        places: What IMAGES, MASKS and OUT are.
        options: Functions that add the options which only some kinds have.
        open: Brings the input together.
        open_truth: The ground truth that pictures are judged by.
        look: Raises what can be seen to be wrong before a network is loaded.
    """

    help: str
    places: tuple[str, str, str]
    options: tuple[Callable[[argparse.ArgumentParser], None], ...]
    open: 'Callable[[argparse.Namespace, LabelRules], Work]'
    open_truth: 'Callable[[argparse.Namespace, LabelRules], GroundTruth]'
    look: Callable[[argparse.Namespace], None] = lambda args: None


def open_label_maps(args: argparse.Namespace, rules: 'LabelRules') -> 'Work':
    from ..batch.label_maps import LabelMaps

    places = args.images, args.masks, args.out
    suffixes = args.image_suffix, args.mask_suffix
    return LabelMaps(*places, rules, *suffixes, resize=args.resize_masks)


def open_video(args: argparse.Namespace, rules: 'LabelRules') -> 'Work':
    from ..batch.label_maps import VideoLabelMaps

    return VideoLabelMaps(args.images, args.masks, args.out, rules, args.mask_suffix)


def open_instances(args: argparse.Namespace, rules: 'LabelRules') -> 'Work':
    from ..batch.instance_files import MaskRules, ResultFile
    from ..batch.mask_folder import MaskFolder
    from ..batch.panoptic import PanopticFile
    from ..files.panoptic import names_segments

    of_masks = MaskRules(args.format, args.polygons, args.tolerance, args.resize_masks)
    if Path(args.masks).is_dir():
        return MaskFolder(args.images, args.masks, args.out, of_masks)
    if names_segments(args.masks):
        return PanopticFile(args.images, args.masks, args.out)
    annotations = getattr(args, 'annotations', None)
    return ResultFile(
        args.images, args.masks, annotations, args.out, repr(settings_made_with(args)), of_masks
    )


def open_cityscapes(args: argparse.Namespace, rules: 'LabelRules') -> 'Work':
    from ..batch.cityscapes import CityscapesFolder

    return CityscapesFolder(args.images, args.masks, args.out)


def open_true_labels(args: argparse.Namespace, rules: 'LabelRules') -> 'GroundTruth':
    from ..batch.truth import TrueLabelMaps

    return TrueLabelMaps(args.ground_truth, rules, args.gt_suffix or '')


def open_true_annotations(args: argparse.Namespace, rules: 'LabelRules') -> 'GroundTruth':
    from ..batch.truth import TrueAnnotations

    return TrueAnnotations(args.ground_truth)


def look_at_label_maps(args: argparse.Namespace) -> None:
    from ..files import first_look

    places = args.images, args.masks, args.out
    suffixes = args.image_suffix, args.mask_suffix
    first_look.look_at_label_maps(*places, *suffixes, sizes=_sizes_must_fit(args))


def look_at_instances(args: argparse.Namespace) -> None:
    from ..files import first_look

    annotations = getattr(args, 'annotations', None)
    sizes = _sizes_must_fit(args)
    first_look.look_at_instances(args.images, args.masks, annotations, sizes)


def _sizes_must_fit(args: argparse.Namespace) -> bool:
    """Whether a mask must be as large as the file of its image says that it is."""
    return not (args.resize_masks or args.loader or offset_folder(args, 'offsets'))


IMAGES = 'folder (with subfolders), file or quoted pattern of images'
KINDS = {
    'label-maps': Kind(
        'label maps, which keep their form: palette, RGB, 8-bit or 16-bit PNG, TIFF, or .npy',
        (
            IMAGES,
            'folder of label maps named as the images, or one label map',
            'folder for the refined ones; a file where MASKS is one',
        ),
        (
            add_image_suffix,
            add_mask_suffix,
            add_label_rules,
            add_resize,
            add_true_suffix,
            add_steady_images,
        ),
        open_label_maps,
        open_true_labels,
        look_at_label_maps,
    ),
    'coco': Kind(
        'COCO results or annotations, panoptic too (a .json with its PNGs), of which only masks '
        'change (of annotations, their areas and boxes too); those that fail stay as they are',
        (IMAGES, 'the file (.json)', 'the refined one (.json)'),
        (add_annotations, add_mask_rules, add_resize, refuse_steady),
        open_instances,
        open_true_annotations,
        look_at_instances,
    ),
    'instances': Kind(
        "other files of instances: YOLO's labels, LabelMe, Segment Anything, mmdet's results.pkl; "
        'only masks change',
        (
            IMAGES,
            'folder with a file for each image (.txt, .json), or one file',
            'folder for the refined ones; a file where MASKS is one',
        ),
        (add_mask_rules, add_resize, refuse_steady),
        open_instances,
        open_true_annotations,
        look_at_instances,
    ),
    'cityscapes': Kind(
        'a Cityscapes result folder (*_pred.txt and PNGs); masks that fail stay as they are',
        (IMAGES, 'the result folder', 'folder for the refined one'),
        (refuse_steady,),
        open_cityscapes,
        open_true_annotations,
    ),
    'video': Kind(
        'a video and a folder with one label map for each frame',
        (
            'the video',
            'folder of label maps, in the order of the frames by name',
            'folder for the refined ones',
        ),
        (add_mask_suffix, add_label_rules, add_true_suffix, add_steady),
        open_video,
        open_true_labels,
    ),
}


def with_kind(words: list[str]) -> list[str]:
    """Put the kind of input before ``IMAGES MASKS ...`` if it is left out."""
    paths = words[:2]
    if len(paths) < 2 or paths[0] in KINDS or any(path.startswith('-') for path in paths):
        return words
    check_kind(paths[0], KINDS)
    if any(word.startswith('--format') for word in words):  # who insists on one means instances
        return ['instances', *words]
    return [kind_of_input(*paths), *words]


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add a subcommand for each kind of input; ``words`` may name a method with own options."""
    methods = offered_methods(words)
    prog, places = parser.prog, 'IMAGES MASKS OUT [options]'
    parser.usage = f'{prog} [KIND] {places}'
    kinds = parser.add_subparsers(
        title='kinds of input, each with its options: KIND --help',
        metavar='KIND',
        required=True,
        prog=prog,
    )
    for name, kind in KINDS.items():
        part = kinds.add_parser(
            name,
            help=kind.help,
            description=kind.help,
            usage=f'{prog} {name} {places}',
            allow_abbrev=False,
        )
        part.set_defaults(kind=kind, parser=part)
        add_places(part, *kind.places)
        for add in kind.options:
            add(part)
        add_bands(part)
        add_refiner(part, methods)
        add_pictures(part)
        add_processes(part)


def run(args: argparse.Namespace) -> int:
    """Refine; the exit status."""
    check_refiner(args.parser, args)
    check_options(args.parser, args)
    check_places(args)
    given = args.images, args.masks, args.ground_truth, getattr(args, 'annotations', None)
    check_exists(*(place for place in given if place is not None))
    args.kind.look(args)
    _end_as_if_interrupted()
    if args.jobs > 1:
        from ..runs.jobs import run_jobs

        # What comes last counts.
        words = [*args.words, '--jobs', '1', '--launcher', 'pytorch']
        return run_jobs([sys.executable, '-m', 'mmrefine', 'refine', *words], args.jobs)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    from ..runs.opencv_log import silence_opencv
    from ..runs.processes import leave_processes, start_processes
    from .refine_run import refine_share

    silence_opencv()
    rank, processes = start_processes(args.launcher)
    status = refine_share(args, rank, processes)
    leave_processes()
    return status


def _end_as_if_interrupted() -> None:
    """Let a request to end, or a lost terminal, do what Ctrl-C does: say so and end in order."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        return
    for name in ('SIGTERM', 'SIGHUP'):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        # Not where it is ignored, as under nohup.
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, interrupt)
