"""What SEMEDA adds to a training iteration of FCN-HRNet-W18: time and memory.

    python benchmarks/semeda.py

Forward, loss and backward of one image of 512×1024 with 19 classes, with cross-entropy alone and
with SEMEDA beside it, in turns, each in a process of its own; memory is the peak of that process
(of the GPU where there is one) above what it held once the model was built.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import rich.table
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from rich.console import Console

from mmrefine.ops import semantic_edge_map
from mmrefine.registry import MODELS

CONFIG = Path(__file__).parents[1] / 'configs/_base_/models/fcn_hrnet-w18.py'


def build(semeda: bool) -> torch.nn.Module:
    cfg = Config.fromfile(CONFIG).model
    cfg.backbone.init_cfg = None
    if semeda:
        loss = dict(type='mmrefine.SEMEDALoss', edge_net=cfg.decode_head.num_classes)
        cfg.decode_head.loss_decode = [cfg.decode_head.loss_decode, loss]
    return MODELS.build(cfg).train()


def blocky_labels(height: int, width: int, num_classes: int) -> torch.Tensor:
    """Random blocks of 32×32 pixels, some of them ignored: (1, H, W), int64."""
    generator = torch.Generator().manual_seed(0)
    size = height // 32 + 1, width // 32 + 1
    blocks = torch.randint(0, num_classes, size, generator=generator)
    blocks[torch.rand(size, generator=generator) < 0.05] = 255
    return blocks.repeat_interleave(32, 0).repeat_interleave(32, 1)[None, :height, :width]


def peak_mib() -> float:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def measure(semeda: bool, height: int, width: int, repeats: int) -> None:
    """Print seconds of every iteration but the first, then the memory in MiB."""
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    model = build(semeda).to(device)
    labels = blocky_labels(height, width, model.decode_head.num_classes).to(device)
    assert (semantic_edge_map(labels) == 1).any()
    image = torch.randn(1, 3, height, width, device=device)
    sample = SegDataSample(gt_sem_seg=PixelData(data=labels))
    before = peak_mib()
    for _ in range(1 + repeats):
        start = time.process_time() if device.type == 'cpu' else time.perf_counter()
        losses = model.loss(image, [sample])
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        if device.type == 'cuda':
            torch.cuda.synchronize()
        end = time.process_time() if device.type == 'cpu' else time.perf_counter()
        model.zero_grad()
        print(end - start)
    print(peak_mib() - before)


def run(semeda: bool, args: argparse.Namespace) -> tuple[list[float], float]:
    sizes = ('--size', str(args.size[0]), str(args.size[1]), '--repeats', str(args.repeats))
    command = [sys.executable, '-W', 'ignore', __file__, '--one', 'yes' if semeda else 'no', *sizes]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    _, *times, memory = map(float, result.stdout.split()[-(args.repeats + 2) :])
    return times, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--size', type=int, nargs=2, default=(512, 1024), metavar=('H', 'W'))
    parser.add_argument('--repeats', type=int, default=3, help='iterations of each process')
    parser.add_argument('--rounds', type=int, default=2, help='processes of each kind, in turns')
    parser.add_argument('--one', choices=['yes', 'no'], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        measure(args.one == 'yes', *args.size, args.repeats)
        return
    times: dict[bool, list[float]] = {False: [], True: []}
    memory: dict[bool, float] = {False: 0, True: 0}
    for semeda in (False, True) * args.rounds:
        found, peak = run(semeda, args)
        times[semeda] += found
        memory[semeda] = max(memory[semeda], peak)
    table = rich.table.Table('FCN-HRNet-W18', 'iteration, s', 'peak memory, MiB')
    seconds = {kind: statistics.median(found) for kind, found in times.items()}
    for kind, name in ((False, 'cross-entropy'), (True, '+ SEMEDA')):
        table.add_row(name, f'{seconds[kind]:.2f}', f'{memory[kind]:.0f}')
    extra = [100 * (found[True] / found[False] - 1) for found in (seconds, memory)]
    table.add_row('extra', *(f'{value:.1f} %' for value in extra))
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU, processor time'
    Console().print(
        table, f'{where}, {torch.get_num_threads()} threads, torch {torch.__version__}, '
        f'{args.size[0]}x{args.size[1]}, median'
    )  # fmt: skip


if __name__ == '__main__':
    main()
