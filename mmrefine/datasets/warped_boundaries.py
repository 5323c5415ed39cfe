"""Pairs of boundary maps with a known transform between them, for the network of InverseForm."""

import cv2
import numpy as np
import torch

from ..ops import look_predicted, semantic_edge_map, transform_labels, transform_matrix
from ..ops.tile_transforms import RANGES
from ..registry import DATASETS

IDENTICAL = 0.2  # share of the pairs without a transform
LEAST_BOUNDARY = 16  # pixels; with fewer there is nothing to find a transform by
ATTEMPTS = 100


@DATASETS.register_module()
class WarpedBoundaryDataset(torch.utils.data.Dataset):
    """Boundaries of a tile of a label map, and those of the same tile after a random transform.

    An item is ``dict(inputs=pair, transform=parameters)``: float32 (2, h, w), the transformed side
    first, made to look predicted (``mmrefine.ops.look_predicted``), then the true one; and
    float32 (P,), see ``mmrefine.ops.tile_transforms``. Labels are moved, then edges are taken,
    so that boundaries are equally wide on both sides. Ignored pixels have no boundary.

    Args:
        label_maps: Config of a data set whose items are ``dict(inputs=labels)``, int64 (H, W),
            as ``DrawnLabelMapDataset`` and ``LabelMapDataset``. Maps should be larger
            than tiles, for what a transform moves in.
        tile_size: h and w; one number for squares.
        num_outputs: P: 4, 6 or 8.
        boundary_width: Pixels on each side of where labels meet.
        clean: Leave the transformed side as it is.
        seed: With one, the same index gives the same pair; else numpy's global generator decides.

    Raises:
        ValueError: if an option is out of range; on access, if maps are smaller than tiles or
            there are hardly any boundaries in them.
    """

    metainfo: dict = dict()

    def __init__(
        self,
        label_maps: dict,
        tile_size: int | tuple[int, int],
        num_outputs: int = 4,
        boundary_width: int = 2,
        clean: bool = False,
        seed: int | None = None,
    ) -> None:
        if num_outputs not in RANGES:
            raise ValueError(f'num_outputs must be one of {tuple(RANGES)}, got {num_outputs}')
        self.tile_size = (tile_size, tile_size) if isinstance(tile_size, int) else tile_size
        if len(self.tile_size) != 2 or min(self.tile_size) < 1:
            raise ValueError(f'tile_size: expected one or two positive numbers, got {tile_size}')
        self.label_maps = DATASETS.build(label_maps)
        self.num_outputs = num_outputs
        self.boundary_width = boundary_width
        self.clean = clean
        self.seed = seed

    def __len__(self) -> int:
        """Number of label maps."""
        return len(self.label_maps)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """A pair from label map number ``index``, or from a later one if it has no boundary."""
        if not 0 <= index < len(self):
            raise IndexError(f'index must be from 0 to {len(self) - 1}, got {index}')
        source = (self.seed, index) if self.seed is not None else np.random.randint(2**31)  # noqa: NPY002
        rng = np.random.default_rng(source)
        for attempt in range(ATTEMPTS):
            labels = self.label_maps[(index + attempt // 4) % len(self)]['inputs'].numpy()
            top_left = self._place(labels.shape, rng)
            rows, columns = (
                slice(start, start + side)
                for start, side in zip(top_left, self.tile_size, strict=True)
            )
            truth = self._edges(labels[rows, columns])
            if (truth > 0).sum() >= LEAST_BOUNDARY:
                break
        else:
            raise ValueError(f'label_maps: hardly a boundary in {ATTEMPTS} tiles from map {index}')
        parameters = torch.from_numpy(self._draw(rng))
        matrix = transform_matrix(parameters[None].double())[0].numpy()
        moved = self._edges(transform_labels(labels, matrix, top_left, self.tile_size))
        prediction = moved if self.clean else look_predicted(moved, rng)
        return dict(inputs=torch.from_numpy(np.stack([prediction, truth])), transform=parameters)

    def _place(self, shape: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
        if shape[0] < self.tile_size[0] or shape[1] < self.tile_size[1]:
            raise ValueError(
                f'tile_size: a label map of {shape[0]}×{shape[1]} is smaller than tiles of '
                f'{self.tile_size[0]}×{self.tile_size[1]}'
            )
        top, left = (
            int(rng.integers(0, have - want + 1))
            for have, want in zip(shape, self.tile_size, strict=True)
        )
        return top, left

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        identical = rng.random() < IDENTICAL
        parameters = rng.uniform(-1, 1, self.num_outputs) * (0 if identical else 1)
        return parameters.astype(np.float32)

    def _edges(self, labels: np.ndarray) -> np.ndarray:
        """Boundary map, float32 (h, w), 0 where ignored."""
        edges = semantic_edge_map(labels)
        side = 2 * self.boundary_width - 1
        wide = cv2.dilate((edges == 1).astype(np.uint8), np.ones((side, side), np.uint8))
        return (wide * (edges != 255)).astype(np.float32)
