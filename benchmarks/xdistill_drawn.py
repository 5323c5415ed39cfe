"""X-Distill on drawn scenes: depth with and without a teacher of shapes, several seeds.

    python benchmarks/xdistill_drawn.py

Draws videos of textured planes, boxes and posts with their true depth into OUT/data, trains one
network from scratch without a teacher, and from there every variant with every seed. What each run
reached is kept in OUT/results.json. Runs that are in there are not run again, so a stopped
benchmark goes on where it was. --variants, --seeds and --show tell what to run, or to print the
table of what there is.
"""

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np
from semeda_camvid import last_figures, run_logged, save, show

from mmrefine.ops.depth.draw_scene import camera_path, draw_scene, render_scene, scene_intrinsics

ROOT = Path(__file__).parents[1]
CONFIG = 'configs/xdistill/xdistill_monodepth-mini{}_1xb4-{}_drawn-48x96.py'
SIZE = (48, 96)
VIDEOS = {'train': 60, 'val': 15}
FRAMES = 6
# What a camera adds to the frames: without, looks alone tell depth, and there is nothing to teach.
NOISE, EXPOSURE = 4.0, 0.05
WEIGHT = 'model.depth_to_seg.loss_weight'
LABELS = 'train_dataloader.dataset.data_prefix.seg_map_path'
# Title, config, options.
VARIANTS = {
    'photometric': ('photometric alone, λ = 0', '-photometric', []),
    'labels-0.01': ('+ surfaces, λ = 0.01', '', [f'{WEIGHT}=0.01']),
    'labels-0.03': ('+ surfaces, λ = 0.03', '', [f'{WEIGHT}=0.03']),
    'labels-0.1': ('+ surfaces, λ = 0.1', '', [f'{WEIGHT}=0.1']),
    'shuffled-0.03': (
        '+ shuffled surfaces, λ = 0.03',
        '',
        [f'{WEIGHT}=0.03', f'{LABELS}=shuffled/train'],
    ),
    'shuffled-0.1': (
        '+ shuffled surfaces, λ = 0.1',
        '',
        [f'{WEIGHT}=0.1', f'{LABELS}=shuffled/train'],
    ),
}
FIGURES = {
    'depth/abs_rel': 'abs rel',
    'depth/rmse': 'RMSE',
    'depth/d1': 'δ < 1.25',
    **{f'depth_boundary/fscore_{t}px': f'F {t} px' for t in (1, 2, 3)},
}


def write_videos(folder: Path) -> None:
    """Frames, true depth, surfaces, and the surfaces of another video ("shuffled")."""
    if (folder / 'complete').exists():
        return
    for split, (name, count) in enumerate(VIDEOS.items()):
        for index in range(count):
            rng = np.random.default_rng((split, index))
            scene, video = draw_scene(rng), f'{index:03}'
            for frame, pose in enumerate(camera_path(FRAMES, rng)):
                image, depth, surfaces = render_scene(scene, pose, SIZE)
                exposure = 1 + rng.uniform(-EXPOSURE, EXPOSURE)
                image = image * exposure + rng.normal(0, NOISE, image.shape)
                other = f'{(index + count // 2) % count:03}'
                for kind, owner, array in (
                    ('frames', video, np.clip(image, 0, 255).round().astype(np.uint8)),
                    ('depth', video, (depth * 256).round().astype(np.uint16)),
                    ('labels', video, surfaces),
                    ('shuffled', other, surfaces),
                ):
                    path = folder / kind / name / owner / f'{frame}.png'
                    path.parent.mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(str(path), array)
    np.savetxt(folder / 'frames' / 'train' / 'intrinsics.txt', scene_intrinsics(SIZE))
    (folder / 'complete').touch()


def train(config: str, work_dir: Path, options: list[str]) -> dict[str, float]:
    """Run tools/train.py, which validates at the end; what it found."""
    command = [sys.executable, '-W', 'ignore', ROOT / 'tools/train.py', ROOT / config]
    command += ['--work-dir', work_dir, '--cfg-options', *options]
    run_logged(command, work_dir)
    return last_figures(work_dir, FIGURES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--out', type=Path, default=Path('work_dirs/xdistill-drawn'))
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--show', action='store_true', help='print the table and stop')
    args = parser.parse_args()
    out = args.out.resolve()
    path = out / 'results.json'
    results = json.loads(path.read_text()) if path.is_file() else {}
    if not args.show:
        write_videos(out / 'data')
        roots = [
            f'{s}_dataloader.dataset.data_root={out / "data"}' for s in ('train', 'val', 'test')
        ]
        start = out / 'start/iter_800.pth'
        if not start.exists():
            results['start seed 0'] = train(CONFIG.format('-start', 800), start.parent, roots)
            save(results, path)
        for seed in args.seeds:  # so that all variants have the first seed first
            for variant in args.variants:
                key = f'{variant} seed {seed}'
                if key in results:
                    continue
                _, config, options = VARIANTS[variant]
                options = [*roots, f'randomness.seed={seed}', f'load_from={start}', *options]
                work_dir = out / key.replace(' ', '_')
                results[key] = train(CONFIG.format(config, 400), work_dir, options)
                save(results, path)
                print(key, {name: round(value, 3) for name, value in results[key].items()})
    titles = {'start': 'common start'} | {v: title for v, (title, _, _) in VARIANTS.items()}
    show(results, titles, FIGURES)


if __name__ == '__main__':
    main()
