"""SegFix: targets and shift against their plain definitions, the whole against its network alone.

Plain targets: for each label, scipy's distance transform of the whole image and the large Sobel
kernels over the whole image. Plain shift: ``grid_sample`` of the label map as float, then round.
"""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt

from mmrefine.apis import build_refiner
from mmrefine.ops import apply_offset, direction_to_offset, segfix_targets
from mmrefine.refiners.tiles import STRIDE

from ..cases import Call, case
from ..drawn import VOID, draw_image, draw_labels

WIDTH, NUM_DIRECTIONS, KERNEL_SIZE, SCALE = 5, 8, 9, 2
STREET = (1024, 2048)
DAVIS = (480, 854)


def targets(labels: np.ndarray) -> tuple[Call, Call]:
    """Distance, boundary and direction of a label map: ours, and by definition."""

    def ours() -> tuple[np.ndarray, ...]:
        return segfix_targets(labels, WIDTH, NUM_DIRECTIONS, KERNEL_SIZE)

    distance, boundary, _ = ours()
    plain_distance, plain_boundary, _ = plain_targets(labels)
    seen = labels != VOID
    np.testing.assert_allclose(distance[seen], plain_distance[seen], rtol=1e-5)
    assert ((boundary == 1) == plain_boundary)[seen].mean() > 0.9999  # plain rounds to float32
    return ours, lambda: plain_targets(labels)


@case('segfix targets, 1024x2048, 11 labels', 'scipy + full Sobel', target=12)
def targets_11(device: str) -> tuple[Call, Call]:
    """Few labels."""
    return targets(draw_labels(STREET, 11))


@case('segfix targets, 1024x2048, 19 labels', 'scipy + full Sobel', target=12)
def targets_19(device: str) -> tuple[Call, Call]:
    """As many labels as Cityscapes has."""
    return targets(draw_labels(STREET, 19))


@case('segfix targets, 512x512, 11 labels', 'scipy + full Sobel', short=True)
def targets_crop(device: str) -> tuple[Call, Call]:
    """A training crop."""
    return targets(draw_labels((512, 512), 11))


@case('segfix shift, 1024x2048', 'grid_sample and round', target=8, short=True)
def shift(device: str) -> tuple[Call, Call]:
    """Fetching labels along offsets."""
    labels = draw_labels(STREET, 19)
    _, boundary, direction = segfix_targets(labels, WIDTH, NUM_DIRECTIONS, KERNEL_SIZE)
    offset = direction_to_offset(np.where(boundary == 1, direction, VOID), NUM_DIRECTIONS)
    assert (apply_offset(labels, offset, SCALE) == plain_shift(labels, offset)).all()
    return (lambda: apply_offset(labels, offset, SCALE), lambda: plain_shift(labels, offset))


@case('segfix end to end, 480x854', 'its network alone', target=1 / 1.10, short=True)
def end_to_end(device: str) -> tuple[Call, Call]:
    """The shipped refiner on a frame with 11 labels."""
    refiner = build_refiner('segfix', device=device)
    image, labels = draw_image(DAVIS), draw_labels(DAVIS, 11)
    seen = [-(-side // STRIDE) * STRIDE for side in DAVIS]  # what the network is given
    inputs = torch.randn(1, 3, *seen, generator=torch.Generator().manual_seed(0)).to(device)

    def network() -> None:
        with torch.inference_mode():
            refiner.model.predict_probabilities(inputs)

    return (lambda: refiner.refine(image, labels), network)


def plain_targets(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The definition as it stands, one label at a time over the whole image."""
    radius = KERNEL_SIZE // 2
    i, j = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    square = np.maximum(i**2 + j**2, 1)
    distance = np.zeros(labels.shape, np.float32)
    gradient = np.zeros((2, *labels.shape), np.float32)
    for label in np.unique(labels):
        if label != VOID:
            inside = labels == label
            own = distance_transform_edt(inside).astype(np.float32)
            distance[inside] = own[inside]
            for axis, kernel in enumerate((i / square, j / square)):
                response = cv2.filter2D(own, -1, kernel, borderType=cv2.BORDER_CONSTANT)
                gradient[axis][inside] = response[inside]
    sector = (np.arctan2(*gradient) + np.pi) * (NUM_DIRECTIONS / (2 * np.pi))
    return distance, distance <= WIDTH, np.rint(sector) % NUM_DIRECTIONS


def plain_shift(labels: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Bilinear interpolation of the labels at every position, rounded."""
    height, width = labels.shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    dy, dx = torch.from_numpy(offset) * SCALE
    last = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    grid = torch.stack([columns + dx, rows + dy], dim=-1) / last - 1
    values = torch.from_numpy(labels.astype(np.float32))[None, None]
    shifted = F.grid_sample(values, grid[None], padding_mode='border', align_corners=True)
    return shifted[0, 0].round().numpy().astype(labels.dtype)
