"""Make the video of before, after and steady: ``python benchmarks/steady_video.py``.

The demo's photograph of a cup (CC0), over which a window wanders; new noise in every frame, and a
coarse label map whose outlines wander anew in every frame, as those of a network do. Three panels:
the coarse outlines, refined frame by frame, refined steadily. Written to docs/images; flicker and
boundary F-scores are printed. With --frames and --masks, the same of folders of your own.
"""

import argparse
import itertools
from pathlib import Path

import cv2
import numpy as np

from mmrefine.apis import build_refiner
from mmrefine.files.pictures import PictureVideo
from mmrefine.measures import boundary_flicker, boundary_fscore, total
from mmrefine.ops import optical_flow
from mmrefine.pictures.drawing import COARSE, REFINED, draw_contours, resized
from mmrefine.refiners.steady import refine_video

ROOT = Path(__file__).parents[1]
DEMO = ROOT / 'demo'
WINDOW, TOP, LEFT, STEP = (300, 260), 40, 130, 3  # pixels; the window moves so far a frame
LARGER = 1.2
Frame = tuple[np.ndarray, np.ndarray]


def drawn_frames(count: int) -> tuple[list[Frame], list[np.ndarray]]:
    """Images with coarse label maps, and the true label maps."""
    image = cv2.imread(str(DEMO / 'images/coffee.png'))
    labels = cv2.imread(str(DEMO / 'labels/coffee.png'), cv2.IMREAD_UNCHANGED)
    rng = np.random.default_rng(0)
    frames, truth = [], []
    for number in range(count):
        rows = slice(TOP, TOP + WINDOW[0])
        columns = slice(LEFT + STEP * number, LEFT + STEP * number + WINDOW[1])
        noisy = image[rows, columns] + rng.normal(0, 3, (*WINDOW, 3))
        truth.append(labels[rows, columns].copy())
        frames.append((noisy.clip(0, 255).astype(np.uint8), wander(truth[-1], rng)))
    return frames, truth


def wander(labels: np.ndarray, rng: np.random.Generator, error: float = 2.5) -> np.ndarray:
    """A label map whose outlines are ``error`` pixels off (standard deviation), smoothly."""
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float32)
    shifts = [
        cv2.GaussianBlur(rng.standard_normal(labels.shape).astype(np.float32), (0, 0), 10)
        for _ in range(2)
    ]
    x, y = (axis + error * shift / shift.std() for axis, shift in zip((x, y), shifts, strict=True))
    return cv2.remap(labels, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)


def read_frames(images: Path, masks: Path) -> list[Frame]:
    """Images and label maps of two folders, in the order of their names."""
    pairs = zip(sorted(images.iterdir()), sorted(masks.iterdir()), strict=True)
    return [(cv2.imread(str(a)), cv2.imread(str(b), cv2.IMREAD_UNCHANGED)) for a, b in pairs]


def panel(image: np.ndarray, labels: np.ndarray, colour: tuple, title: str) -> np.ndarray:
    size = (round(LARGER * image.shape[0]), round(LARGER * image.shape[1]))
    picture = resized(image, size)
    draw_contours(picture, labels, colour, thickness=2.2)
    for ink, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(
            picture, title, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, thickness, cv2.LINE_AA
        )
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=ROOT / 'docs/images/steady.mp4')
    parser.add_argument('--frames', type=Path, help='folder of frames')
    parser.add_argument('--masks', type=Path, help='folder of their label maps')
    parser.add_argument('--count', type=int, default=24, help='frames of the photograph')
    parser.add_argument('--reach', type=int, default=2)
    args = parser.parse_args()
    truth: list[np.ndarray] = []
    if args.frames:
        frames = read_frames(args.frames, args.masks)
    else:
        frames, truth = drawn_frames(args.count)
    refiner = build_refiner('bpr', device='cpu')
    found = {
        'before': (COARSE, [labels for _, labels in frames]),
        'frame by frame': (REFINED, list(refine_video(refiner, frames, 0))),
        'steady': (REFINED, list(refine_video(refiner, frames, args.reach))),
    }
    flows = [optical_flow(b, a) for (a, _), (b, _) in itertools.pairwise(frames)]
    for title, (_, maps) in found.items():
        flicker = total(
            boundary_flicker(b, a, flow)
            for (a, b), flow in zip(itertools.pairwise(maps), flows, strict=True)
        )
        line = f'{title}: flicker {100 * flicker.figures()["flicker"]:.1f} %'
        if truth:
            classes = int(max(map(np.max, truth))) + 1
            pairs = zip(maps, truth, strict=True)
            score = total(boundary_fscore(*pair, 1, num_classes=classes) for pair in pairs)
            line += f', F-score at 1 px {100 * score.figures()["fscore"]:.1f}'
        print(line)
    with PictureVideo(args.out, 12) as video:
        for number, (image, _) in enumerate(frames):
            panels = [panel(image, maps[number], c, t) for t, (c, maps) in found.items()]
            video.write(f'{number:04}', np.hstack(panels))
    print(f'written to {args.out}')


if __name__ == '__main__':
    main()
