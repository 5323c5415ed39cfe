"""The promise of ``mmrefine.ops``: of tensors tensors, with the numbers that arrays give."""

import numpy as np
import pytest
import torch

from mmrefine import ops

LABELS = np.kron(np.random.default_rng(0).integers(0, 3, (4, 5)), np.ones((6, 7), int))
MASK = LABELS == 1
BOXES = ops.propose_boxes(MASK, 8)
PROBABILITIES = np.random.default_rng(1).random((len(BOXES), 11, 11)).astype(np.float32)
CALLS = {
    'apply_offset': (ops.apply_offset, LABELS, np.ones((2, *LABELS.shape), np.int8)),
    'apply_votes': (ops.apply_votes, LABELS, np.full((8, *LABELS.shape), 0.1, np.float32)),
    'boundary_map': (ops.boundary_map, LABELS),
    'crop_patches': (lambda mask: ops.crop_patches(mask, BOXES, 11), MASK),
    'crop image': (
        lambda image: ops.crop_patches(image, BOXES, 11),
        np.random.default_rng(2).random((*LABELS.shape, 3)).astype(np.float32),
    ),
    'degrade': (lambda mask: ops.degrade(mask, np.random.default_rng(0)), MASK),
    'direction_map': (ops.direction_map, LABELS),
    'direction_to_offset': (ops.direction_to_offset, (LABELS % 8).astype(np.uint8)),
    'distance_map': (ops.distance_map, LABELS),
    'propose_boxes': (ops.propose_boxes, MASK),
    'reassemble_patches': (
        lambda *a: ops.reassemble_patches(a[0], BOXES, a[1]),
        MASK,
        PROBABILITIES,
    ),
    'segfix_targets': (ops.segfix_targets, LABELS),
    'semantic_edge_map': (ops.semantic_edge_map, LABELS),
}
# Draw from numbers, give records, take names, or say in their docstrings that they take arrays
# alone (frames, which OpenCV reads) or tensors alone (networks' outputs and training targets).
OTHERS = {
    *('draw_label_map', 'average_patches', 'cut_tiles', 'frame_key', 'order_frames'),
    *('average_along_flow', 'optical_flow', 'votes_against', 'warp_labels', 'warp_values'),
    *('displacement', 'look_predicted', 'soft_edge_map', 'transform_labels', 'transform_matrix'),
    'widen',
}


def test_every_function_is_here():
    assert {name for name in CALLS if ' ' not in name} | OTHERS == set(ops.__all__)


@pytest.mark.parametrize('name', CALLS)
@pytest.mark.parametrize('autocast', [False, True])
def test_tensors_give_what_arrays_give(name, autocast):
    """Under mixed precision, too, which changes products of tensors."""
    function, *arrays = CALLS[name]
    expected = function(*arrays)
    with torch.autocast('cpu', torch.bfloat16, enabled=autocast):
        found = function(*map(torch.from_numpy, arrays))
    pairs = zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
    for tensor, array in pairs:
        assert isinstance(tensor, torch.Tensor)
        assert tensor.numpy().dtype == array.dtype
        np.testing.assert_allclose(tensor.numpy(), array, atol=1e-5)


def test_averages_of_tensors_are_exact_under_mixed_precision():
    expected = ops.average_patches(BOXES, PROBABILITIES, MASK.shape)
    for dtype in (torch.float32, torch.float16):
        with torch.autocast('cpu', torch.bfloat16):
            patches = torch.from_numpy(PROBABILITIES).to(dtype)
            found = ops.average_patches(BOXES, patches, MASK.shape)
        assert found.probabilities.dtype == torch.float32
        np.testing.assert_allclose(
            found.probabilities.numpy(),
            expected.probabilities,
            atol=1e-5 if dtype == torch.float32 else 1e-3,
        )
