"""Whole processes: start-up of the command, of refining one frame, and the report."""

import os
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path

import cv2

from mmrefine.reports.classes import ClassList, distinct_colours
from mmrefine.reports.label_maps import LabelMapRules, compared_label_maps, evaluate_label_maps

from ..cases import Call, case
from ..drawn import draw_image, draw_labels, draw_masks, waver

PAIRS, SIZE_HW, NUM_CLASSES = 500, (180, 240), 11
DAVIS = (480, 854)
FRAME = """
import sys, cv2
from mmrefine.apis import build_refiner
image, mask = (cv2.imread(path, flag) for path, flag in zip(sys.argv[1:3], (1, 0)))
refiner = build_refiner('bpr', device='cpu')
if 'refine' in sys.argv:
    refiner.refine(image, mask)
"""


def python(*args: str) -> Call:
    """A call that runs Python with some arguments."""
    return lambda: subprocess.run(
        [sys.executable, '-W', 'ignore', *args], check=True, capture_output=True
    )


@case('mmrefine --help', 'an empty Python process', short=True)
def help_text(device: str) -> tuple[Call, Call]:
    """What a user waits for before anything is read."""
    return (python('-m', 'mmrefine', '--help'), python('-c', 'pass'))


@case('start-up before the first patch, 480x854', 'the whole process', target=2)
def start_up(device: str) -> tuple[Call, Call]:
    """A process that imports, builds and refines one frame, and one that stops before refining."""
    folder = tempfile.TemporaryDirectory()
    image, mask = (str(Path(folder.name, name)) for name in ('image.png', 'mask.png'))
    cv2.imwrite(image, draw_image(DAVIS))
    cv2.imwrite(mask, draw_masks(1, DAVIS)[0].astype('uint8'))
    ours = python('-c', FRAME, image, mask)
    weakref.finalize(ours, folder.cleanup)
    return (ours, python('-c', FRAME, image, mask, 'refine'))


@case('report on 500 pairs, 180x240, 11 classes, figures', 'reading the files')
def report(device: str) -> tuple[Call, Call]:
    """All measures of label maps in two processes, against decoding the PNGs in one."""
    folder = tempfile.TemporaryDirectory()
    root = Path(folder.name)
    for kind in ('truth', 'before'):
        (root / kind).mkdir()
    for number in range(PAIRS):
        labels = draw_labels(SIZE_HW, NUM_CLASSES, number % 10)
        cv2.imwrite(os.fspath(root / f'truth/{number}.png'), labels)
        cv2.imwrite(os.fspath(root / f'before/{number}.png'), waver(labels, 2, number % 10))
    names = tuple(map(str, range(NUM_CLASSES)))
    rules = LabelMapRules(ClassList(names, distinct_colours(NUM_CLASSES)))
    predictions, truth = {'before': str(root / 'before')}, str(root / 'truth')

    def ours() -> object:
        tasks = compared_label_maps(predictions, truth, rules)
        return evaluate_label_maps(predictions, truth, rules, tasks, 2, lambda: None)

    weakref.finalize(ours, folder.cleanup)
    paths = [str(path) for path in sorted(root.glob('*/*.png'))]
    return (ours, lambda: [cv2.imread(path, cv2.IMREAD_UNCHANGED) for path in paths])
