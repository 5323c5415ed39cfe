"""IFA's head beside mmseg's FPN head: time and memory of training and of predicting.

    OMP_NUM_THREADS=1 python benchmarks/ifa_head.py

Features of a ResNet-50 for one image of 512×1024, 19 classes. Every kind runs in a process
of its own; memory is the peak of that process (of the GPU where there is one) above what it held
once head and features were there. Predicting is to the size of the image: enlarged from a quarter
of it, or asked at every pixel.
"""

import argparse
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F
from semeda import peak_mib

from mmrefine.registry import MODELS

CHANNELS, STRIDES = (256, 512, 1024, 2048), (4, 8, 16, 32)
SHARED = dict(in_index=(0, 1, 2, 3), num_classes=19, norm_cfg=dict(type='BN'), align_corners=False)
HEADS = {
    'FPN': dict(type='mmseg.FPNHead', in_channels=[256] * 4, channels=128, feature_strides=STRIDES),
    'IFA': dict(type='mmrefine.IFAHead', in_channels=CHANNELS),
    'IFA, ensemble': dict(type='mmrefine.IFAHead', in_channels=CHANNELS, ensemble=True),
    'IFA, every pixel': dict(type='mmrefine.IFAHead', in_channels=CHANNELS, query_size='image'),
}
NECK = dict(type='mmseg.FPN', in_channels=list(CHANNELS), out_channels=256, num_outs=4)


class HeadAlone(torch.nn.Module):
    """A head behind the features of a ResNet, with the neck that it needs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.neck = MODELS.build(NECK) if name == 'FPN' else torch.nn.Identity()
        self.head = MODELS.build(HEADS[name] | SHARED)

    def predict(self, features: list[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """Class scores at the size of the image."""
        return self.head.predict(self.neck(features), [dict(img_shape=size)], {})

    def loss(self, features: list[torch.Tensor], label: torch.Tensor) -> torch.Tensor:
        """Cross-entropy at the size of the image."""
        inputs = self.neck(features)
        every_pixel = getattr(self.head, 'query_size', None) == 'image'
        logits = self.head(inputs, tuple(label.shape[1:])) if every_pixel else self.head(inputs)
        return F.cross_entropy(F.interpolate(logits, label.shape[1:], mode='bilinear'), label)


def measure(name: str, train: bool, size: tuple[int, int], repeats: int) -> None:
    """Print seconds of every pass but the first, then the memory in MiB."""
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    torch.manual_seed(0)
    model = HeadAlone(name).to(device).train(train)
    features = [
        torch.randn(1, c, size[0] // s, size[1] // s, device=device)
        for c, s in zip(CHANNELS, STRIDES, strict=True)
    ]
    label = torch.randint(0, 19, (1, *size), device=device)
    before = peak_mib()
    for _ in range(1 + repeats):
        start = time.process_time() if device.type == 'cpu' else time.perf_counter()
        if train:
            model.loss(features, label).backward()
            model.zero_grad()
        else:
            with torch.no_grad():
                model.predict(features, size)
        if device.type == 'cuda':
            torch.cuda.synchronize()
        end = time.process_time() if device.type == 'cpu' else time.perf_counter()
        print(end - start)
    print(peak_mib() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--size', type=int, nargs=2, default=(512, 1024), metavar=('H', 'W'))
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--heads', nargs='+', choices=HEADS, default=list(HEADS))
    parser.add_argument('--one', nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        measure(args.one[0], args.one[1] == 'train', tuple(args.size), args.repeats)
        return
    print('| head | train, s | train, MiB | predict, s | predict, MiB |\n|---|---|---|---|---|')
    for name in args.heads:
        cells = []
        for kind in ('train', 'predict'):
            command = [sys.executable, '-W', 'ignore', __file__, '--one', name, kind]
            command += ['--size', *map(str, args.size), '--repeats', str(args.repeats)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            _, *times, memory = map(float, done.stdout.split()[-(args.repeats + 2) :])
            cells += [f'{statistics.median(times):.2f}', f'{memory:.0f}']
        print(f'| {name} | {" | ".join(cells)} |', flush=True)
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU, processor time'
    print(f'{where}, {torch.get_num_threads()} threads, torch {torch.__version__}, {args.size}')


if __name__ == '__main__':
    main()
