"""Speed and memory of BPR against a plain restatement of the released steps, in one run.

    python benchmarks/bpr.py [--device cuda] [--instances 10] [--runs 5] [--json FILE]

The plain steps, for every instance: 3 × 3 convolution over the full image, NMS of all boundary
boxes, RoIAlign of image and mask, interpolation to the network's input; then, patch by patch,
accumulation in two full images and a division. Boxes are drawn from the same masks at the same
threshold, patches hold the same pixels, and both sides give the same refined masks: this is
checked before times are reported. Needs mmcv with its compiled ops for the plain side.

The network has the released architecture and random weights, which do not change its time. The
image is noise, the instances are seeded irregular shapes of the sizes Cityscapes has. Peak memory
is that of a process of its own, with 10 and with 100 instances.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmrefine.ops import crop_patches, propose_boxes, reassemble_patches
from mmrefine.refiners import BPRRefiner
from mmrefine.registry import MODELS

SIZE_HW = (1024, 2048)
PATCH, INPUT = 64, 128
CONFIG = Path(__file__).parent.parent / 'configs/bpr/bpr_hrnet-w18s_4xb8-160k_cityscapes-64to128.py'


def draw_masks(number: int, seed: int = 0) -> np.ndarray:
    """Irregular shapes, bool (N, H, W), none at the border, where the released code differs."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((number, *SIZE_HW), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    for mask in masks:
        height, width = np.exp(rng.uniform(np.log(40), np.log(300), 2))
        wobble = cv2.GaussianBlur(rng.uniform(0.6, 1.4, (1, 40)), (9, 1), 1.5)[0]
        y, x = rng.uniform(320, 704), rng.uniform(320, 1728)
        points = [x + wobble * width * np.cos(angles) / 2, y + wobble * height * np.sin(angles) / 2]
        cv2.fillPoly(mask, [np.stack(points, 1).round().astype(np.int32)], 1)
    return masks.astype(bool)


def plain_boxes(mask: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Boxes of one mask, float (H, W) → float (n, 4)."""
    from mmcv.ops import nms

    count = F.conv2d(mask[None, None], mask.new_ones(1, 1, 3, 3), padding=1)[0, 0]
    score = torch.minimum((count - 9).abs(), count.abs()) / 4.5
    y, x = torch.nonzero(score, as_tuple=True)
    scores, half = score[y, x], PATCH // 2
    boxes = torch.stack([x - half, y - half, x + half, y + half], 1).float()
    _, kept = nms(boxes, scores, iou_threshold)
    return boxes[kept]


def plain_patches(
    image: torch.Tensor, masks: torch.Tensor, iou_threshold: float
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Boxes of each mask, and image and mask patches (n, 4, INPUT, INPUT)."""
    from mmcv.ops import roi_align

    boxes = [plain_boxes(mask, iou_threshold) for mask in masks]
    index = [torch.full((len(b), 1), float(i), device=b.device) for i, b in enumerate(boxes)]
    of_mask = torch.cat([torch.cat(pair, 1) for pair in zip(index, boxes, strict=True)])
    of_image = of_mask.clone()
    of_image[:, 0] = 0
    size = (INPUT, INPUT)
    images = roi_align(image[None], of_image, PATCH)
    coarse = roi_align(masks[:, None], of_mask, PATCH)
    images = F.interpolate(images, size, mode='bilinear')
    coarse = F.interpolate(coarse, size, mode='nearest')
    return boxes, torch.cat([images, coarse], 1)


def plain_reassemble(
    masks: torch.Tensor, boxes: list[torch.Tensor], probabilities: torch.Tensor
) -> torch.Tensor:
    """Refined masks, bool (N, H, W)."""
    patches = F.interpolate(probabilities[:, None], (PATCH, PATCH), mode='bilinear')[:, 0]
    refined = masks.bool().clone()
    start = 0
    for mask, mine in zip(refined, boxes, strict=True):
        total, count = torch.zeros_like(mask, dtype=torch.float), torch.zeros_like(mask).float()
        for x1, y1, x2, y2 in mine.int().tolist():
            total[y1:y2, x1:x2] += patches[start]
            count[y1:y2, x1:x2] += 1
            start += 1
        covered = count > 0
        total[covered] /= count[covered]
        mask[covered] = total[covered] > 0.5
    return refined


def our_patches(image, masks: list, iou_threshold: float) -> tuple[list[np.ndarray], list]:
    """The same two steps with mmrefine.ops; ``masks`` (H, W) bool arrays."""
    device = image.device if isinstance(image, torch.Tensor) else None
    boxes = [propose_boxes(mask, PATCH, iou_threshold) for mask in masks]
    images = crop_patches(image, np.concatenate(boxes), INPUT)
    on_device = masks if device is None else [torch.from_numpy(m).to(device) for m in masks]
    coarse = [crop_patches(m, b, INPUT) for m, b in zip(on_device, boxes, strict=True)]
    return boxes, [images, coarse]


def our_reassemble(masks: list, boxes: list[np.ndarray], probabilities) -> list:
    parts = np.split(np.arange(len(probabilities)), np.cumsum([len(b) for b in boxes])[:-1])
    return [
        reassemble_patches(mask, mine, probabilities[part[0] : part[-1] + 1])
        for mask, mine, part in zip(masks, boxes, parts, strict=True)
    ]


def seconds(function: Callable[[], object], runs: int, device: torch.device) -> float:
    """Median of ``runs`` after one to warm up."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        function()
        if device.type == 'cuda':
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def build(device: torch.device, iou_threshold: float = 0.25) -> BPRRefiner:
    init_default_scope('mmseg')
    model = Config.fromfile(CONFIG).model
    model.backbone.init_cfg = None
    return BPRRefiner(MODELS.build(model), device=device, iou_threshold=iou_threshold)


def measure_steps(args: argparse.Namespace, device: torch.device) -> dict[str, float]:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
    masks = draw_masks(args.instances)
    plain_image = torch.from_numpy(image).permute(2, 0, 1).float().to(device)
    plain_masks = torch.from_numpy(masks).float().to(device)
    our_image = torch.from_numpy(image).to(device) if device.type == 'cuda' else image
    our_masks = list(torch.from_numpy(masks).to(device)) if device.type == 'cuda' else list(masks)
    coarse = list(masks)

    boxes, patches = our_patches(our_image, coarse, args.iou_threshold)
    probabilities = torch.rand(len(patches[0]), INPUT, INPUT, device=device)
    ours = probabilities if device.type == 'cuda' else probabilities.numpy()
    check(plain_image, plain_masks, our_masks, boxes, patches, probabilities, args.iou_threshold)

    boxes_float = [torch.from_numpy(b).float().to(device) for b in boxes]
    steps = dict(
        plain_propose_crop=lambda: plain_patches(plain_image, plain_masks, args.iou_threshold),
        propose_crop=lambda: our_patches(our_image, coarse, args.iou_threshold),
        plain_reassemble=lambda: plain_reassemble(plain_masks, boxes_float, probabilities),
        reassemble=lambda: our_reassemble(our_masks, boxes, ours),
    )
    found = {name: 1000 * seconds(step, args.runs, device) for name, step in steps.items()}
    refiner = build(device, args.iou_threshold)
    whole = seconds(lambda: refiner.refine(image, masks), max(args.runs // 2, 1), device)
    inputs = torch.randn(len(probabilities), 4, INPUT, INPUT, device=device)
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    network = seconds(
        lambda: [refiner._forward(part) for part in inputs.split(refiner.batch_size)],
        max(args.runs // 2, 1),
        device,
    )
    return found | dict(patches=len(probabilities), end_to_end=1000 * whole, network=1000 * network)


def check(
    image: torch.Tensor,
    masks: torch.Tensor,
    our_masks: list,
    boxes: list[np.ndarray],
    patches: list,
    probabilities: torch.Tensor,
    iou_threshold: float,
) -> None:
    """Both sides do the same; their boxes may differ where scores are tied."""
    found, _ = plain_patches(image, masks, iou_threshold)
    numbers = [len(b) for b in found], [len(b) for b in boxes]
    if not np.allclose(*map(sum, numbers), rtol=0.1):
        raise AssertionError(f'the number of boxes differs: {numbers}')
    same = [torch.from_numpy(b).float().to(image.device) for b in boxes]
    ours = our_reassemble(
        our_masks, boxes, probabilities if image.is_cuda else probabilities.numpy()
    )
    refined = torch.stack([torch.as_tensor(mask) for mask in ours])
    differing = (plain_reassemble(masks, same, probabilities) != refined).float().mean()
    x1, y1, x2, y2 = boxes[0][0].tolist()
    window = F.interpolate(image[None, :, y1:y2, x1:x2], (INPUT, INPUT), mode='bilinear')[0]
    first = torch.as_tensor(patches[0][0]).permute(2, 0, 1).float()
    if differing > 1e-5 or (first - window).abs().max() > 1.01:
        raise AssertionError('patches or refined masks differ')


def peak_memory(instances: int, device: str) -> float:
    """MiB that refining adds in a process of its own."""
    code = f'import benchmark_bpr as b; b.print_memory({instances}, {device!r})'
    code = code.replace('benchmark_bpr', Path(__file__).stem)
    result = subprocess.run(
        [sys.executable, '-c', code],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(result.stdout.strip().splitlines()[-1])


def print_memory(instances: int, device: str) -> None:
    where = torch.device(device)
    refiner = build(where)
    image = np.zeros((*SIZE_HW, 3), np.uint8)
    masks = draw_masks(instances)
    refiner.refine(image, masks[:1])
    if where.type == 'cuda':
        print(torch.cuda.max_memory_allocated() / 2**20)
        return
    # The masks themselves, given and returned, are the caller's.
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refiner.refine(image, masks)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print((after - before) / 2**10 - masks.nbytes / 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--instances', type=int, default=10)
    parser.add_argument('--iou-threshold', type=float, default=0.25)
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()
    device = torch.device(args.device)
    found = measure_steps(args, device)
    for instances in (10, 100):
        found[f'peak_mib_{instances}'] = peak_memory(instances, args.device)
    name = torch.cuda.get_device_name() if device.type == 'cuda' else platform.processor()
    print(f'{name}, torch {torch.__version__}, {torch.get_num_threads()} threads')
    print(f'{args.instances} instances, {found["patches"]:.0f} patches, times in ms')
    for step in ('propose_crop', 'reassemble'):
        plain, ours = found[f'plain_{step}'], found[step]
        print(f'{step:14}{ours:10.1f}   plain {plain:10.1f}   {plain / ours:6.1f} times')
    share = found['network'] / found['end_to_end']
    print(f'end to end    {found["end_to_end"]:10.1f}   of it network {100 * share:.0f} %')
    print(
        f'memory added  {found["peak_mib_10"]:.0f} MiB with 10 instances, '
        f'{found["peak_mib_100"]:.0f} MiB with 100'
    )
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))


if __name__ == '__main__':
    main()
