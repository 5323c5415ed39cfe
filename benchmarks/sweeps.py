"""Time and memory against the size of images, and the number of instances, patches and classes.

    python benchmarks/sweeps.py [--only size instances] [--json FILE] [--plot FILE]

Every point is a process of its own, so that its peak memory is its own. BPR refines a COCO result
file as `mmrefine refine coco` does; SegFix refines a label map. Times are processor seconds,
reading and writing included, start-up not.

"growth" checks what must hold: 500 instances in 33 megapixels take under 6 GB, and no more than
1.5 times as long for each pixel of their boundaries as 15 instances in one megapixel.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from drawn import draw_image, draw_labels
from matplotlib.figure import Figure

from mmrefine.apis import build_refiner
from mmrefine.batch.instance_files import ResultFile
from mmrefine.batch.source import RefinerSource
from mmrefine.batch.tasks import run_tasks
from mmrefine.ops.boxes import boundary_scores
from mmrefine.ops.run_lengths import encode_mask

BPR: dict[str, Any] = dict(method='bpr', megapixels=2, instances=10, diameter=120)
SEGFIX: dict[str, Any] = dict(method='segfix', megapixels=0.4, classes=11)
# What goes along the axis, and the points.
SWEEPS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    'size': ('megapixels', [BPR | dict(megapixels=m) for m in (0.2, 1, 4, 12, 33)]),
    'instances': ('instances', [BPR | dict(instances=n) for n in (1, 10, 100, 500)]),
    'patches': (
        'diameter',
        [BPR | dict(instances=1, diameter=d) for d in (40, 120, 360, 700)],
    ),
    'classes': ('classes', [SEGFIX | dict(classes=c) for c in (2, 11, 50, 150)]),
    'size of label maps': ('megapixels', [SEGFIX | dict(megapixels=m) for m in (0.2, 0.4, 1, 2)]),
    'growth': (
        'megapixels',
        [BPR | dict(megapixels=1, instances=15), BPR | dict(megapixels=33, instances=500)],
    ),
}
MOST_MEMORY, MOST_TIMES = 6000, 1.5  # MB; of the time for a boundary pixel


def size_of(megapixels: float) -> tuple[int, int]:
    """Height and width, 2 : 3."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    return height, round(1.5 * height)


def wobbly_disc(diameter: float, rng: np.random.Generator) -> np.ndarray:
    """An irregular shape, bool."""
    side = round(1.5 * diameter)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    wobble = cv2.GaussianBlur(rng.uniform(0.7, 1.3, (1, 40)), (9, 1), 1.5)[0] * diameter / 2
    points = side / 2 + np.stack([wobble * np.cos(angles), wobble * np.sin(angles)], 1)
    return cv2.fillPoly(np.zeros((side, side), np.uint8), [points.round().astype(int)], 1) > 0


def run_bpr(point: dict[str, Any]) -> dict[str, float]:
    """Refine the instances of one image in a COCO result file."""
    size_hw, rng, results, boundary = size_of(point['megapixels']), np.random.default_rng(0), [], 0
    for _ in range(point['instances']):
        shape = wobbly_disc(point['diameter'], rng)
        top, left = (rng.integers(0, n - len(shape) + 1) for n in size_hw)
        mask = np.zeros(size_hw, bool)
        mask[top : top + len(shape), left : left + len(shape)] = shape
        results.append(dict(image_id='0', category_id=1, score=1.0, segmentation=encode_mask(mask)))
        boundary += np.count_nonzero(boundary_scores(shape))
    source = RefinerSource(build_refiner('bpr', device='cpu'))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        drawn = draw_image(size_of(min(point['megapixels'], 1)))  # in float64: small
        cv2.imwrite(str(root / '0.jpg'), cv2.resize(drawn, size_hw[::-1]))
        (root / 'results.json').write_text(json.dumps(results))
        source.refiner.refine(draw_image((64, 96)), np.eye(64, 96, dtype=bool)[None])
        start = time.process_time()
        work = ResultFile(root / '0.jpg', root / 'results.json', None, root / 'out.json')
        report = run_tasks(work.tasks, source)
        work.finish()
        seconds = time.process_time() - start
    assert report.ok, report.failed
    return dict(seconds=seconds, boundary=boundary)


def run_segfix(point: dict[str, Any]) -> dict[str, float]:
    """Refine one label map."""
    size_hw = size_of(point['megapixels'])
    image, labels = draw_image(size_hw), draw_labels(size_hw, point['classes'])
    refiner = build_refiner('segfix', device='cpu')
    refiner.refine(image[:64, :96], labels[:64, :96])
    start = time.process_time()
    refiner.refine(image, labels)
    return dict(seconds=time.process_time() - start)


def run_point(point: dict[str, Any]) -> None:
    """Measure one point in this process and print it."""
    found = run_bpr(point) if point['method'] == 'bpr' else run_segfix(point)
    # KiB on Linux, bytes on macOS
    unit = 1e3 if sys.platform == 'linux' else 1e6
    print(json.dumps(found | dict(mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)))


def measured(point: dict[str, Any]) -> dict[str, Any]:
    """A point with what its own process found."""
    command = [sys.executable, '-W', 'ignore', __file__, '--point', json.dumps(point)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return point | json.loads(done.stdout.splitlines()[-1])


def plot(found: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Time above, memory below, a column for each sweep."""
    shown = {name: points for name, points in found.items() if name != 'growth'}
    figure = Figure((3.2 * len(shown), 5.4), layout='constrained')
    axes = figure.subplots(2, len(shown), squeeze=False)
    for (name, points), (above, below) in zip(shown.items(), axes.T, strict=True):
        axis = SWEEPS[name][0]
        x = [point[axis] for point in points]
        above.plot(x, [point['seconds'] for point in points], 'o-')
        below.plot(x, [point['mb'] / 1e3 for point in points], 'o-', color='tab:orange')
        above.set_title(f'{points[0]["method"]}: {name}')
        below.set_xlabel('diameter, pixels' if axis == 'diameter' else axis)
        for part in (above, below):
            part.set_ylim(0, 1.1 * max(part.lines[0].get_ydata()))
            part.grid(alpha=0.3)
    axes[0][0].set_ylabel('processor seconds')
    axes[1][0].set_ylabel('peak memory, GB')
    figure.savefig(path, dpi=110)


def growth_is_kept(small: dict[str, Any], large: dict[str, Any]) -> bool:
    """Print whether cost grows with boundaries and not with images."""
    times = (large['seconds'] / large['boundary']) / (small['seconds'] / small['boundary'])
    print(f'{times:.2f} times as long for a boundary pixel (at most {MOST_TIMES})')
    print(f'{large["mb"]:.0f} MB (under {MOST_MEMORY})')
    return times <= MOST_TIMES and large['mb'] < MOST_MEMORY


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--only', nargs='+', choices=SWEEPS, default=list(SWEEPS))
    parser.add_argument('--json', type=Path, metavar='FILE', help='add what was measured to it')
    parser.add_argument('--plot', type=Path, metavar='FILE', help='draw all that --json holds')
    parser.add_argument('--point', type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.point:
        run_point(args.point)
        return
    found = json.loads(args.json.read_text()) if args.json and args.json.is_file() else {}
    for name in args.only:
        found[name] = []
        for point in SWEEPS[name][1]:
            found[name].append(measured(point))
            print(name, found[name][-1], flush=True)
        if args.json:
            args.json.write_text(json.dumps(found, indent=1))
    if args.plot:
        plot({name: found[name] for name in SWEEPS if name in found}, args.plot)
    if 'growth' in args.only:
        sys.exit(not growth_is_kept(*found['growth']))


if __name__ == '__main__':
    main()
