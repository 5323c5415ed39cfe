"""BPR against the released steps restated plainly, and the whole against its network alone.

The plain steps, for every instance: 3 × 3 convolution over the full image, NMS of all boundary
boxes, RoIAlign of image and mask, interpolation to the network's input; then, patch by patch,
accumulation in two full images and a division. They need mmcv with its compiled ops. Both sides
work on the same masks and give the same refined ones.
"""

import importlib

import numpy as np
import torch
import torch.nn.functional as F

from mmrefine.apis import build_refiner
from mmrefine.ops import crop_patches, propose_boxes, reassemble_patches

from ..cases import Call, NotHere, case
from ..drawn import draw_image, draw_masks

SIZE_HW = (1024, 2048)
DAVIS = (480, 854)
PATCH, INPUT, NMS = 64, 128, 0.25


def compiled_ops():
    """Mmcv's compiled ops, which the plain steps are made of."""
    try:
        return importlib.import_module('mmcv.ops')
    except ImportError as error:
        raise NotHere('needs mmcv with compiled ops') from error


class Scene:
    """An image and its masks as both sides want them."""

    def __init__(self, device: str, instances: int = 10) -> None:
        image, masks = draw_image(SIZE_HW), draw_masks(instances)
        self.plain_image = torch.from_numpy(image).permute(2, 0, 1).float().to(device)
        self.plain_masks = torch.from_numpy(masks).float().to(device)
        gpu = torch.device(device).type == 'cuda'
        self.image = torch.from_numpy(image).to(device) if gpu else image
        self.masks = list(torch.from_numpy(masks).to(device)) if gpu else list(masks)
        self.coarse = list(masks)
        self.boxes = [propose_boxes(mask, PATCH, NMS) for mask in masks]
        number = sum(map(len, self.boxes))
        noise = torch.rand(number, INPUT, INPUT, generator=torch.Generator().manual_seed(0))
        self.plain_probabilities = noise.to(device)
        self.probabilities = self.plain_probabilities if gpu else noise.numpy()


@case('bpr propose + crop, 10 instances, 1024x2048', 'the released steps', target=50)
def propose_and_crop(device: str) -> tuple[Call, Call]:
    """From masks to the network's inputs."""
    ops = compiled_ops()
    scene = Scene(device)

    def ours() -> list:
        boxes = [propose_boxes(mask, PATCH, NMS) for mask in scene.coarse]
        images = crop_patches(scene.image, np.concatenate(boxes), INPUT)
        coarse = [
            crop_patches(mask, mine, INPUT) for mask, mine in zip(scene.masks, boxes, strict=True)
        ]
        return [images, coarse]

    def plain() -> list[torch.Tensor]:
        return plain_patches(ops, scene.plain_image, scene.plain_masks)[0]

    # Boxes may differ where scores are tied.
    assert np.allclose(sum(map(len, plain())), sum(map(len, scene.boxes)), rtol=0.1)
    x1, y1, x2, y2 = scene.boxes[0][0].tolist()
    window = F.interpolate(
        scene.plain_image[None, :, y1:y2, x1:x2], (INPUT, INPUT), mode='bilinear'
    )[0]
    first = torch.as_tensor(ours()[0][0]).permute(2, 0, 1).float()
    assert (first - window).abs().max() <= 1.01
    return ours, plain


@case('bpr reassemble, 10 instances, 1024x2048', 'the released steps', target=12, short=True)
def reassemble(device: str) -> tuple[Call, Call]:
    """From the network's outputs to refined masks."""
    scene = Scene(device)
    ends = np.cumsum([len(boxes) for boxes in scene.boxes])[:-1]
    parts = np.split(np.arange(len(scene.probabilities)), ends)

    def ours() -> list:
        return [
            reassemble_patches(mask, mine, scene.probabilities[part[0] : part[-1] + 1])
            for mask, mine, part in zip(scene.masks, scene.boxes, parts, strict=True)
        ]

    def plain() -> torch.Tensor:
        return plain_reassemble(scene.plain_masks, scene.boxes, scene.plain_probabilities)

    refined = torch.stack([torch.as_tensor(mask) for mask in ours()])
    assert (plain() != refined).float().mean() < 1e-5
    return ours, plain


def whole(device: str, size_hw: tuple[int, int], instances: int) -> tuple[Call, Call]:
    """The shipped refiner, and its network on as many patches."""
    refiner = build_refiner('bpr', device=device)
    image, masks = draw_image(size_hw), draw_masks(instances, size_hw)
    inputs: list[torch.Tensor] = []
    forward = refiner.patches._forward

    def listen(part: torch.Tensor) -> torch.Tensor:
        inputs.append(part)
        return forward(part)

    refiner.patches._forward = listen
    refiner.refine(image, masks)
    refiner.patches._forward = forward
    batches = list(inputs)
    return (lambda: refiner.refine(image, masks), lambda: [forward(part) for part in batches])


@case('bpr end to end, 10 instances, 1024x2048', 'its network alone', target=1 / 1.15)
def end_to_end(device: str) -> tuple[Call, Call]:
    """A street scene."""
    return whole(device, SIZE_HW, 10)


@case('bpr end to end, 1 instance, 480x854', 'its network alone', target=1 / 1.15, short=True)
def end_to_end_frame(device: str) -> tuple[Call, Call]:
    """A frame of a video."""
    return whole(device, DAVIS, 1)


def plain_boxes(ops, mask: torch.Tensor) -> torch.Tensor:
    """Boxes of one mask, float (H, W) → float (n, 4)."""
    count = F.conv2d(mask[None, None], mask.new_ones(1, 1, 3, 3), padding=1)[0, 0]
    score = torch.minimum((count - 9).abs(), count.abs()) / 4.5
    y, x = torch.nonzero(score, as_tuple=True)
    scores, half = score[y, x], PATCH // 2
    boxes = torch.stack([x - half, y - half, x + half, y + half], 1).float()
    _, kept = ops.nms(boxes, scores, NMS)
    return boxes[kept]


def plain_patches(
    ops, image: torch.Tensor, masks: torch.Tensor
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Boxes of each mask, and image and mask patches (n, 4, INPUT, INPUT)."""
    boxes = [plain_boxes(ops, mask) for mask in masks]
    index = [torch.full((len(b), 1), float(i), device=b.device) for i, b in enumerate(boxes)]
    of_mask = torch.cat([torch.cat(pair, 1) for pair in zip(index, boxes, strict=True)])
    of_image = of_mask.clone()
    of_image[:, 0] = 0
    images = ops.roi_align(image[None], of_image, PATCH)
    coarse = ops.roi_align(masks[:, None], of_mask, PATCH)
    images = F.interpolate(images, (INPUT, INPUT), mode='bilinear')
    coarse = F.interpolate(coarse, (INPUT, INPUT), mode='nearest')
    return boxes, torch.cat([images, coarse], 1)


def plain_reassemble(
    masks: torch.Tensor, boxes: list[np.ndarray], probabilities: torch.Tensor
) -> torch.Tensor:
    """Refined masks, bool (N, H, W)."""
    patches = F.interpolate(probabilities[:, None], (PATCH, PATCH), mode='bilinear')[:, 0]
    refined = masks.bool().clone()
    start = 0
    for mask, mine in zip(refined, boxes, strict=True):
        total, count = torch.zeros_like(mask, dtype=torch.float), torch.zeros_like(mask).float()
        for x1, y1, x2, y2 in mine.tolist():
            total[y1:y2, x1:x2] += patches[start]
            count[y1:y2, x1:x2] += 1
            start += 1
        covered = count > 0
        total[covered] /= count[covered]
        mask[covered] = total[covered] > 0.5
    return refined
