"""What a frame's update of AuxAdapt costs beside a training step of the auxiliary network alone.

    OMP_NUM_THREADS=1 python benchmarks/auxadapt_cost.py

The main network of benchmarks/auxadapt_camvid.py with random weights on frames of noise, its
auxiliary network at half the size of the frame: times do not depend on either. Medians of
processor time over frames, the three ways taking turns: with a frozen auxiliary network, adapting,
and forward and backward of the auxiliary network alone. The goal is that updating adds at most 60 %
of the last.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from auxadapt_camvid import AUX, NOMINAL, ROOT
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.structures import SegDataSample
from semeda_camvid import START

from mmrefine.models.segmentors import AuxAdaptSegmentor
from mmrefine.registry import MODELS

GOAL = 60


def build(lr: float, scale: float) -> AuxAdaptSegmentor:
    torch.manual_seed(0)
    main, aux = (
        MODELS.build(Config.fromfile(ROOT / 'configs' / f'{name}.py').model)
        for name in (START, AUX)
    )
    return AuxAdaptSegmentor(main, aux, aux_scale=scale, lr=lr)


def spent(step: Callable[[], object]) -> float:
    start = time.process_time()
    step()
    return 1000 * (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--size', type=int, nargs=2, default=(180, 240), metavar=('H', 'W'))
    parser.add_argument('--scale', type=float, default=0.5, help='of what the auxiliary one sees')
    parser.add_argument('--frames', type=int, default=30)
    args = parser.parse_args()
    init_default_scope('mmseg')
    models = {'frozen': build(0, args.scale), 'adapting': build(NOMINAL['lr'], args.scale)}
    alone = build(0, args.scale).aux
    size = [round(side * args.scale) for side in args.size]
    labels = torch.randint(0, alone.num_classes, (1, *size))

    def step() -> None:
        logits = alone(torch.randn(1, 3, *size), mode='tensor')
        logits = F.interpolate(logits, size, mode='bilinear', align_corners=False)
        F.cross_entropy(logits, labels).backward()
        alone.zero_grad()

    times: dict[str, list[float]] = {'frozen': [], 'adapting': [], 'alone': []}
    for number in range(args.frames):
        frame = torch.randn(1, 3, *args.size)
        meta = dict.fromkeys(('ori_shape', 'img_shape', 'pad_shape'), tuple(args.size))
        sample = SegDataSample(metainfo=dict(meta, img_path=f'v_{number}.png'))
        for name, model in models.items():
            times[name].append(spent(lambda m=model, f=frame, s=sample: m.predict(f, [s])))
        times['alone'].append(spent(step))
    found = {name: statistics.median(values[3:]) for name, values in times.items()}
    added = found['adapting'] - found['frozen']
    share = 100 * added / found['alone']
    print(
        '| with a frozen auxiliary network | adapting | updating adds | auxiliary network alone |'
    )
    print('|---|---|---|---|')
    cells = (found['frozen'], found['adapting'], added, found['alone'])
    print('|', ' | '.join(f'{value:.1f} ms' for value in cells), '|')
    print(f'updating adds {share:.0f} % of forward and backward alone; goal: at most {GOAL} %')


if __name__ == '__main__':
    main()
