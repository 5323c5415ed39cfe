"""How long FFNets and networks of mmseg need for an image, and what the authors say they reach.

    python benchmarks/latency.py --out work_dirs/latency

Every network is timed on random images of 1024×2048 and 512×1024, in turns, so that a machine that
slows down slows all of them; the fastest of the rounds counts. On a CPU it is processor time of one
thread, unless --threads says otherwise. Writes OUT/latency.json, and OUT/latency.png, the trade-off
of time and published mIoU. --sizes, --models, --native and --rounds make it shorter. Networks are
built with 19 classes and random weights.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.figure import Figure
from mmengine.registry import init_default_scope
from mmengine.utils import import_modules_from_strings
from torch import nn

from mmrefine.models.ffnet_names import parse_name
from mmrefine.registry import MODELS

# mIoU on Cityscapes val as published, single scale: FFNet by its authors, at the size that each is
# made for (half for those with pre_down); the others by mmseg's model zoo, at 1024×2048.
FFNETS = {
    'FFNet-150-AAA': (84.4, 1),
    'FFNet-86-AAA': (83.2, 1),
    'FFNet-34-AAA': (81.4, 1),
    'FFNet-86-ABB': (83.5, 1),
    'FFNet-34-ABB': (80.3, 1),
    'FFNet-86S-BBB': (82.6, 1),
    'FFNet-122N-CBB': (83.7, 1),
    'FFNet-74N-CBB': (83.0, 1),
    'FFNet-46N-CBB': (81.9, 1),
    'FFNet-86-dAAA': (81.4, 1),
    'FFNet-18-dAAC': (76.4, 1),
    'FFNet-40S-dBBB': (79.2, 1),
    'FFNet-78S-dBBB': (81.3, 1),
    'FFNet-40S-BBB': (79.7, 2),
    'FFNet-78S-BCC': (80.6, 2),
    'FFNet-46NS-CCC': (76.7, 2),
    'FFNet-122NS-CBB': (79.3, 2),
}
OTHERS = ('HRNet-W18', 'DDRNet-23-slim', 'PIDNet-S', 'SegFormer-B0')
SIZES = {'1024x2048': (1024, 2048), '512x1024': (512, 1024)}


def hrnet_w18() -> dict:
    """FCN-HRNet-W18 of mmseg."""
    widths = (18, 36, 72, 144)
    stages = {
        'stage1': dict(num_modules=1, block='BOTTLENECK', num_blocks=(4,), num_channels=(64,))
    }
    for number, modules in ((2, 1), (3, 4), (4, 3)):
        stages[f'stage{number}'] = dict(
            num_modules=modules,
            block='BASIC',
            num_blocks=(4,) * number,
            num_channels=widths[:number],
        )
    for number, stage in enumerate(stages.values(), start=1):
        stage['num_branches'] = number
    head = dict(
        type='FCNHead',
        in_channels=list(widths),
        in_index=(0, 1, 2, 3),
        channels=270,
        input_transform='resize_concat',
        kernel_size=1,
        num_convs=1,
        concat_input=False,
    )
    return dict(backbone=dict(type='HRNet', extra=stages), decode_head=head)


def ddrnet() -> dict:
    """DDRNet-23-slim of mmseg."""
    return dict(
        backbone=dict(type='DDRNet', in_channels=3, channels=32, ppm_channels=128),
        decode_head=dict(type='DDRHead', in_channels=128, channels=64, loss_decode=[CE, CE]),
    )


def pidnet() -> dict:
    """PIDNet-S of mmseg."""
    backbone = dict(type='PIDNet', channels=32, ppm_channels=96, num_stem_blocks=2)
    backbone |= dict(num_branch_blocks=3, in_channels=3)
    head = dict(type='PIDHead', in_channels=128, channels=128, loss_decode=[CE, CE, CE, CE])
    return dict(backbone=backbone, decode_head=head)


def segformer() -> dict:
    """SegFormer-B0 of mmseg."""
    backbone = dict(
        type='MixVisionTransformer',
        embed_dims=32,
        num_stages=4,
        num_layers=[2, 2, 2, 2],
        num_heads=[1, 2, 5, 8],
        patch_sizes=[7, 3, 3, 3],
        sr_ratios=[8, 4, 2, 1],
        out_indices=(0, 1, 2, 3),
        mlp_ratio=4,
        qkv_bias=True,
    )
    head = dict(
        type='SegformerHead', in_channels=[32, 64, 160, 256], in_index=[0, 1, 2, 3], channels=256
    )
    return dict(backbone=backbone, decode_head=head)


CE = dict(type='CrossEntropyLoss')
BUILDERS: dict[str, Callable[[], dict]] = dict(
    zip(OTHERS, (hrnet_w18, ddrnet, pidnet, segformer), strict=True)
)
# mmseg's model zoo; FCN-HRNet-W18 is that of 160k iterations.
PUBLISHED = dict(zip(OTHERS, (78.80, 77.84, 78.74, 76.54), strict=True))


def build(name: str) -> nn.Module:
    """A network that gives class scores of images, in eval mode."""
    if name in FFNETS:
        return Scores(MODELS.build(dict(type='mmrefine.FFNet', name=name)))
    parts = BUILDERS[name]()
    norm = dict(type='SyncBN' if name == 'SegFormer-B0' else 'BN')
    head = dict(parts['decode_head'], num_classes=19, norm_cfg=dict(type='BN'))
    if name != 'SegFormer-B0':
        parts['backbone']['norm_cfg'] = norm
    model = dict(type='mmseg.EncoderDecoder', backbone=parts['backbone'], decode_head=head)
    return Scores(MODELS.build(model))


class Scores(nn.Module):
    """Class scores at the resolution of the network: what all of them compute."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) → (N, 19, h, w)."""
        return self.model.decode_head(self.model.extract_feat(images))


def seconds(network: nn.Module, image: torch.Tensor) -> float:
    """Time of one forward pass: on one thread of a CPU, processor time, else wall time."""
    is_alone = image.device.type == 'cpu' and torch.get_num_threads() == 1
    clock = time.process_time if is_alone else time.perf_counter
    start = clock()
    network(image)
    if image.is_cuda:
        torch.cuda.synchronize()
    return clock() - start


def count_macs(network: nn.Module, image: torch.Tensor) -> int:
    """Multiplications of convolutions and linear layers; those of attention maps are left out."""
    total = 0

    def add(layer: nn.Conv2d | nn.Linear, _: object, output: torch.Tensor) -> None:
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(add) for layer in layers]
    network(image)
    for handle in handles:
        handle.remove()
    return total


def published(name: str, size: str) -> float | None:
    """What mIoU was published for a network at a size, if any."""
    if name in PUBLISHED:
        return PUBLISHED[name] if size == '1024x2048' else None
    miou, half = FFNETS[name]
    return miou if (half == 2) == (size == '512x1024') else None


def measure(
    all_names: list[str], sizes: list[str], native: bool, rounds: int, device: str
) -> list[dict]:
    """Parameters, GMACs and the least time of each network at each size."""
    found = []
    for size in sizes:
        names = [n for n in all_names if not native or published(n, size) is not None]
        image = torch.randn(1, 3, *SIZES[size], device=device)
        networks = {name: build(name).to(device) for name in names}
        best = dict.fromkeys(names, float('inf'))
        for _ in range(rounds + 1):  # the first warms up
            for name, network in networks.items():
                best[name] = min(best[name], seconds(network, image))
        for name, network in networks.items():
            found.append(
                dict(
                    name=name,
                    size=size,
                    parameters=sum(p.numel() for p in network.parameters()),
                    gmacs=round(count_macs(network.to('meta'), image.to('meta')) / 1e9, 2),
                    milliseconds=round(1000 * best[name], 1),
                    published_miou=published(name, size),
                )
            )
            print(found[-1], flush=True)
    return found


def draw(rows: list[dict], title: str, path: Path) -> None:
    """Published mIoU over time, one mark for each network at the size it is published for."""
    figure = Figure(figsize=(9, 5.5), layout='constrained')
    axes = figure.add_subplot()
    kinds = {'FFNet at 1024×2048': [], 'FFNet at 512×1024': [], 'in mmseg, at 1024×2048': []}
    for row in rows:
        if row['published_miou'] is None:
            continue
        kind = 2 if row['name'] in PUBLISHED else ('1024x2048', '512x1024').index(row['size'])
        list(kinds.values())[kind].append(row)
    styles = zip(kinds.items(), (('#0072b2', 'o'), ('#56b4e9', 'o'), ('#d55e00', 's')), strict=True)
    for (label, points), (colour, marker) in styles:
        x, y = ([p[key] for p in points] for key in ('milliseconds', 'published_miou'))
        axes.scatter(x, y, color=colour, marker=marker, label=label)
        for point in points:
            place = (point['milliseconds'], point['published_miou'])
            text = point['name'].replace('FFNet-', '')
            axes.annotate(text, place, (4, 4), textcoords='offset points', fontsize=8)
    axes.set_xscale('log')
    axes.set_xlabel('milliseconds an image, measured')
    axes.set_ylabel('mIoU on Cityscapes val, published')
    axes.set_title(title, fontsize=9)
    axes.grid(color='#dddddd', which='both', linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc='upper left')
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    names = [*FFNETS, *OTHERS]
    parser.add_argument('--out', type=Path, default=Path('work_dirs/latency'))
    parser.add_argument('--models', nargs='+', choices=names, default=names)
    parser.add_argument('--sizes', nargs='+', choices=SIZES, default=list(SIZES))
    parser.add_argument(
        '--native', action='store_true', help='each network only at the size it has a mIoU for'
    )
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=1, help='of torch, on the CPU')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    init_default_scope('mmseg')
    import_modules_from_strings(['mmseg.models'])
    for name in FFNETS:
        parse_name(name)  # before minutes of timing
    with torch.inference_mode():
        rows = measure(args.models, args.sizes, args.native, args.rounds, args.device)
    where = f'{platform.processor() or platform.machine()}, {args.threads} thread(s)'
    if args.device != 'cpu':
        where = torch.cuda.get_device_name()
    title = f'{args.device}: {where}, torch {torch.__version__}, float32'
    args.out.mkdir(parents=True, exist_ok=True)
    content = dict(machine=title, rounds=args.rounds, networks=rows)
    (args.out / 'latency.json').write_text(json.dumps(content, indent=1))
    draw(rows, title, args.out / 'latency.png')


if __name__ == '__main__':
    main()
