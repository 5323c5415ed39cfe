"""Speed of the SegFix array functions against the plain definition, in the same run.

Plain definition of the targets: for each label, scipy's distance transform of the whole image and
the large Sobel kernels over the whole image. Plain way to shift: ``grid_sample`` of the label map
as float over a full sampling grid, then round. Every time is the best of some repeats. The labels
are blobs with rough outlines made from a seed, or those of a PNG.

    python benchmarks/segfix_ops.py
    python benchmarks/segfix_ops.py --labels label_map.png
"""

import argparse
import platform
from collections.abc import Callable
from time import perf_counter

import cv2
import numpy as np
import scipy
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt

from mmrefine.ops import apply_offset, direction_to_offset, segfix_targets

WIDTH, NUM_DIRECTIONS, KERNEL_SIZE, SCALE = 5, 8, 9, 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--labels', help='label map PNG, instead of the ones made from the seed')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--repeats', type=int, default=10, help='of the fast side (default: 10)')
    parser.add_argument('--plain-repeats', type=int, default=2, help='of the slow side')
    args = parser.parse_args()
    cv2.setNumThreads(args.threads)
    torch.set_num_threads(args.threads)
    print(
        f'python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, '
        f'opencv {cv2.__version__}, torch {torch.__version__}, {args.threads} threads'
    )
    for labels in load_or_draw(args.labels, args.seed):
        compare_targets(labels, args.repeats, args.plain_repeats)
        compare_shift(labels, args.repeats)


def load_or_draw(path: str | None, seed: int) -> list[np.ndarray]:
    """The label maps to measure on."""
    if path is not None:
        labels = cv2.imread(path, cv2.IMREAD_UNCHANGED)
        if labels is None or labels.ndim != 2:
            raise SystemExit(f'{path}: not a readable PNG with one channel')
        return [labels]
    rng = np.random.default_rng(seed)
    return [
        draw_labels((1024, 2048), 11, rng),
        draw_labels((1024, 2048), 19, rng),
        draw_labels((512, 512), 11, rng),
    ]


def draw_labels(shape: tuple[int, int], num_labels: int, rng: np.random.Generator) -> np.ndarray:
    """At each pixel the strongest of some smooth random fields: blobs and finer details."""
    fields = []
    for _ in range(num_labels):
        field = np.zeros(shape, np.float32)
        for rows, strength in ((5, 1.0), (40, 0.1)):
            grid = (rows, rows * shape[1] // shape[0])
            noise = rng.standard_normal(grid).astype(np.float32)
            field += strength * cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC)
        fields.append(field)
    return np.argmax(fields, axis=0).astype(np.uint8)


def compare_targets(labels: np.ndarray, repeats: int, plain_repeats: int) -> None:
    """Distance, boundary and direction: ours and by definition."""
    seconds, (distance, boundary, direction) = best_of(
        repeats, lambda: segfix_targets(labels, WIDTH, NUM_DIRECTIONS, KERNEL_SIZE)
    )
    plain_seconds, (plain_distance, plain_boundary, plain_direction) = best_of(
        plain_repeats, lambda: plain_targets(labels)
    )
    num_labels = len(np.setdiff1d(labels, 255))
    print(f'\n{labels.shape[0]} x {labels.shape[1]}, {num_labels} labels, ', end='')
    print(f'{(boundary == 1).mean():.1%} of the pixels within {WIDTH} px of a boundary')
    report('distance, boundary, direction', seconds, 'plain definition', plain_seconds)
    seen = labels != 255
    print(
        f'    largest difference of distance {np.abs(distance - plain_distance)[seen].max():.1e}, '
        f'pixels of other boundary {np.count_nonzero((boundary != plain_boundary)[seen])}, of '
        f'other direction {np.count_nonzero((direction != plain_direction)[seen])} (plain rounds '
        'to float32 before it compares)'
    )


def compare_shift(labels: np.ndarray, repeats: int) -> None:
    """Shifting the labels: by index and by interpolation."""
    _, boundary, direction = segfix_targets(labels, WIDTH, NUM_DIRECTIONS, KERNEL_SIZE)
    offset = direction_to_offset(np.where(boundary == 1, direction, 255), NUM_DIRECTIONS)
    seconds, shifted = best_of(3 * repeats, lambda: apply_offset(labels, offset, SCALE))
    plain_seconds, plain = best_of(repeats, lambda: shift_by_grid_sample(labels, offset))
    report('apply_offset', seconds, 'grid_sample', plain_seconds)
    print(f'    pixels that differ {np.count_nonzero(shifted != plain)}')


def plain_targets(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The definition as it stands, one label at a time over the whole image."""
    radius = KERNEL_SIZE // 2
    i, j = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    square = np.maximum(i**2 + j**2, 1)
    distance = np.zeros(labels.shape, np.float32)
    gradient = np.zeros((2, *labels.shape), np.float32)
    for label in np.unique(labels):
        if label != 255:
            inside = labels == label
            own = distance_transform_edt(inside).astype(np.float32)
            distance[inside] = own[inside]
            for axis, kernel in enumerate((i / square, j / square)):
                response = cv2.filter2D(own, -1, kernel, borderType=cv2.BORDER_CONSTANT)
                gradient[axis][inside] = response[inside]
    sector = (np.arctan2(*gradient) + np.pi) * (NUM_DIRECTIONS / (2 * np.pi))
    return distance, distance <= WIDTH, np.rint(sector) % NUM_DIRECTIONS


def shift_by_grid_sample(labels: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Bilinear interpolation of the labels at every position, rounded."""
    height, width = labels.shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    dy, dx = torch.from_numpy(offset) * SCALE
    last = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    grid = torch.stack([columns + dx, rows + dy], dim=-1) / last - 1
    values = torch.from_numpy(labels.astype(np.float32))[None, None]
    shifted = F.grid_sample(values, grid[None], padding_mode='border', align_corners=True)
    return shifted[0, 0].round().numpy().astype(labels.dtype)


def best_of(repeats: int, function: Callable) -> tuple[float, tuple]:
    """Shortest time of some calls, and the last result."""
    best = np.inf
    for _ in range(repeats):
        start = perf_counter()
        result = function()
        best = min(best, perf_counter() - start)
    return best, result


def report(name: str, seconds: float, plain_name: str, plain_seconds: float) -> None:
    """One line: both times and how many times faster."""
    print(
        f'  {name} {seconds * 1e3:.1f} ms, {plain_name} {plain_seconds * 1e3:.1f} ms: '
        f'{plain_seconds / seconds:.1f} x'
    )


if __name__ == '__main__':
    main()
