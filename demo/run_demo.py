"""Refine the label map of a photograph with SegFix and show what changed.

``make demo`` runs this. Everything it shows can be had from three lines::

    from mmrefine.apis import build_refiner
    refiner = build_refiner('segfix')
    refined = refiner.refine('demo/images/coffee.png', coarse_label_map)
"""

import argparse
import time
import warnings
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import rich.table
from rich.console import Console

mpl.use('Agg')
import matplotlib.pyplot as plt

from mmrefine.measures import boundary_fscore, region_iou

DEMO = Path(__file__).parent
CLASSES = ('background', 'saucer and cup', 'opening of the cup', 'spoon')
# Okabe and Ito's colours, told apart by colour-blind people and on photographs.
COARSE_COLOUR, REFINED_COLOUR = '#E69F00', '#56B4E9'
INSET = 64  # side of the zoomed squares, in pixels of the photograph


def coarse_label_map(labels: np.ndarray, stride: int = 16, error: float = 4) -> np.ndarray:
    """Label map (H, W) like that of a real network with this output stride.

    Outlines wander by ``error`` pixels (standard deviation), smoothly over some 16 pixels. With 4
    the boundary F-scores are about those of a small HRNet on CamVid: see docs/segfix.md.
    """
    height, width = labels.shape
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    shifts = [
        cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 16)
        for _ in range(2)
    ]
    shift_x, shift_y = (error * shift / shift.std() for shift in shifts)
    moved = cv2.remap(
        labels, x + shift_x, y + shift_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    scores = [
        cv2.resize(
            cv2.resize(
                (moved == label).astype(np.float32),
                (width // stride, height // stride),
                interpolation=cv2.INTER_AREA,
            ),
            (width, height),
            interpolation=cv2.INTER_LINEAR,
        )
        for label in range(len(CLASSES))
    ]
    return np.argmax(scores, axis=0).astype(np.uint8)


def most_changed(before: np.ndarray, after: np.ndarray, count: int) -> list[tuple[int, int]]:
    """Top left corners (y, x) of the squares with most changed pixels, apart from each other."""
    changed = cv2.boxFilter((before != after).astype(np.float32), -1, (INSET, INSET))
    half = INSET // 2
    inside = np.zeros_like(changed)
    inside[half:-half, half:-half] = changed[half:-half, half:-half]
    corners = []
    for _ in range(count):
        y, x = np.unravel_index(inside.argmax(), inside.shape)
        inside[max(y - INSET, 0) : y + INSET, max(x - INSET, 0) : x + INSET] = 0
        corners.append((int(y) - half, int(x) - half))
    return corners


def draw_contours(axes: plt.Axes, labels: np.ndarray, colour: str, width: float) -> None:
    """Outline of every class, along pixel edges as they are."""
    for label in np.unique(labels)[1:]:
        mask = np.pad(labels == label, 1)
        big = mask.repeat(8, 0).repeat(8, 1).astype(np.uint8)
        for line in cv2.findContours(big, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]:
            x, y = ((np.vstack([line, line[:1]])[:, 0] + 0.5) / 8 - 1.5).T
            axes.plot(x, y, color='black', linewidth=width + 1)
            axes.plot(x, y, color=colour, linewidth=width)


def draw_figure(image: np.ndarray, coarse: np.ndarray, refined: np.ndarray, path: Path) -> None:
    """Before and after side by side, with the three most changed places below."""
    corners = most_changed(coarse, refined, 3)
    figure, grid = plt.subplot_mosaic(
        [['before'] * 3 + ['after'] * 3, ['b0', 'b1', 'b2', 'a0', 'a1', 'a2']],
        figsize=(12, 6.2),
        height_ratios=[2, 1],
        layout='constrained',
    )
    rgb = image[..., ::-1]
    for key, labels, colour, title in (
        ('before', coarse, COARSE_COLOUR, 'before: as a real network might give it'),
        ('after', refined, REFINED_COLOUR, 'after: mmrefine, SegFix'),
    ):
        grid[key].imshow(rgb)
        grid[key].set_title(title)
        draw_contours(grid[key], labels, colour, 1.2)
        for number, (y, x) in enumerate(corners):
            square = plt.Rectangle((x, y), INSET, INSET, fill=False, color='white', linewidth=1)
            grid[key].add_patch(square)
            inset = grid[f'{key[0]}{number}']
            inset.imshow(rgb, interpolation='nearest')
            draw_contours(inset, labels, colour, 2.2)
            inset.set_xlim(x - 0.5, x + INSET - 0.5)
            inset.set_ylim(y + INSET - 0.5, y - 0.5)
        grid[key].set_xlim(-0.5, image.shape[1] - 0.5)
        grid[key].set_ylim(image.shape[0] - 0.5, -0.5)
    for axes in grid.values():
        axes.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def table_of_scores(
    labels: np.ndarray, coarse: np.ndarray, refined: np.ndarray
) -> rich.table.Table:
    """Boundary F-scores and mIoU against the ground truth."""
    table = rich.table.Table('against hand-drawn ground truth', 'before', 'after')
    for tolerance in (1, 2, 3):
        scores = [
            100 * boundary_fscore(m, labels, tolerance, len(CLASSES)).figures('present')['fscore']
            for m in (coarse, refined)
        ]
        table.add_row(f'boundary F-score, {tolerance} px', *(f'{s:.1f}' for s in scores))
    scores = [
        100 * region_iou(m, labels, len(CLASSES)).figures()['miou'] for m in (coarse, refined)
    ]
    table.add_row('mIoU', *(f'{s:.1f}' for s in scores))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', type=Path, default=DEMO / 'output')
    parser.add_argument(
        '--make-coarse', action='store_true', help='make demo/coarse/ again and stop'
    )
    parser.add_argument(
        '--error', type=float, help='refine a coarse label map made with this error, in pixels'
    )
    args = parser.parse_args()
    labels = cv2.imread(str(DEMO / 'labels' / 'coffee.png'), cv2.IMREAD_UNCHANGED)
    if args.make_coarse:
        cv2.imwrite(str(DEMO / 'coarse' / 'coffee.png'), coarse_label_map(labels))
        return

    warnings.filterwarnings('ignore', category=UserWarning)  # mm* packages on their own needs
    from mmrefine.apis import build_refiner

    photograph = DEMO / 'images' / 'coffee.png'
    coarse = cv2.imread(str(DEMO / 'coarse' / 'coffee.png'), cv2.IMREAD_UNCHANGED)
    if args.error is not None:
        coarse = coarse_label_map(labels, error=args.error)
    refiner = build_refiner('segfix', device='cpu')
    start = time.perf_counter()
    refined = refiner.refine(photograph, coarse)
    seconds = time.perf_counter() - start

    args.out.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(args.out / 'coffee_refined.png'), refined)
    draw_figure(cv2.imread(str(photograph)), coarse, refined, args.out / 'coffee.png')
    Console().print(
        table_of_scores(labels, coarse, refined),
        f'{100 * np.mean(coarse != refined):.1f} % of the pixels changed, in {seconds:.1f} s.',
        f'Before and after, side by side: {args.out / "coffee.png"}',
        f'The refined label map: {args.out / "coffee_refined.png"}',
        sep='\n',
    )


if __name__ == '__main__':
    main()
