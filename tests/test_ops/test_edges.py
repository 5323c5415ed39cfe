import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmrefine.ops import semantic_edge_map, soft_edge_map, widen

LABELS = arrays(
    np.uint8,
    st.tuples(st.integers(1, 7), st.integers(1, 9)),
    elements=st.sampled_from([0, 1, 2, 255]),
)


def plain(labels: np.ndarray, ignore_index: int = 255) -> np.ndarray:
    """The definition, pixel by pixel."""
    height, width = labels.shape
    edges = np.zeros(labels.shape, np.uint8)
    for y in range(height):
        for x in range(width):
            around = labels[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
            if labels[y, x] == ignore_index:
                edges[y, x] = 255
            elif set(around.ravel().tolist()) - {ignore_index, int(labels[y, x])}:
                edges[y, x] = 1
    return edges


@given(LABELS)
@settings(deadline=None, max_examples=60)
def test_definition(labels):
    assert np.array_equal(semantic_edge_map(labels), plain(labels))


@given(LABELS)
@settings(deadline=None, max_examples=30)
def test_torch_and_batches_agree_with_numpy(labels):
    one = semantic_edge_map(torch.from_numpy(labels))
    assert one.dtype == torch.uint8
    assert np.array_equal(one.numpy(), plain(labels))
    batch = np.stack([labels, labels[::-1]]).astype(np.int64)
    expected = np.stack([plain(labels), plain(labels[::-1])])
    assert np.array_equal(semantic_edge_map(batch), expected)
    assert np.array_equal(semantic_edge_map(torch.from_numpy(batch)).numpy(), expected)


def test_drawn():
    labels = np.array(
        [
            [0, 0, 0, 1, 1],
            [0, 0, 0, 1, 1],
            [0, 0, 0, 0, 1],
            [9, 9, 0, 0, 0],
        ]
    )
    assert np.array_equal(
        semantic_edge_map(labels, ignore_index=9),
        [
            [0, 0, 1, 1, 0],
            [0, 0, 1, 1, 1],
            [0, 0, 1, 1, 1],
            [255, 255, 0, 1, 1],
        ],
    )


@pytest.mark.parametrize('value', [0, 3, 255])
def test_one_label_everywhere(value):
    labels = np.full((4, 6), value, np.uint8)
    assert (semantic_edge_map(labels) == (255 if value == 255 else 0)).all()


@pytest.mark.parametrize('side', [(0, slice(None)), (-1, slice(None)), (slice(None), 0)])
def test_object_touching_the_border_has_edges_inside_only(side):
    labels = np.zeros((5, 8), np.uint8)
    labels[side] = 1
    rows, columns = np.nonzero(semantic_edge_map(labels))
    near = plain(labels)
    assert near.any()
    assert near[rows, columns].all()
    assert near.sum() == len(rows) < labels.size


def test_input_is_left_alone_and_bool_is_fine():
    labels = np.zeros((3, 5), bool)
    labels[1, 2] = True
    before = labels.copy()
    assert semantic_edge_map(labels).sum() == 9
    assert semantic_edge_map(torch.from_numpy(labels)).sum() == 9
    assert np.array_equal(labels, before)


@pytest.mark.parametrize(
    ('wrong', 'error', 'text'),
    [
        (np.zeros((3, 4)), TypeError, 'integer dtype, got float64'),
        (torch.zeros(3, 4), TypeError, r'integer dtype, got torch\.float32'),
        ([[0, 1]], TypeError, 'got list'),
        (np.zeros(4, int), ValueError, r'\(H, W\) or \(N, H, W\)'),
        (np.zeros((1, 2, 3, 4), int), ValueError, r'got \(1, 2, 3, 4\)'),
        (np.zeros((0, 4), int), ValueError, 'none of them 0'),
    ],
)
def test_wrong_input(wrong, error, text):
    with pytest.raises(error, match=text):
        semantic_edge_map(wrong)


@given(LABELS)
@settings(deadline=None, max_examples=60)
def test_soft_edges_of_certain_probabilities_are_the_semantic_edges(labels):
    ignored = torch.from_numpy(labels == 255)[None]
    known = torch.from_numpy(np.where(labels == 255, 0, labels)).long()
    certain = torch.nn.functional.one_hot(known, 3).permute(2, 0, 1)[None].float()
    found = soft_edge_map(certain, ignored)[0].numpy()
    expected = plain(labels)
    assert np.array_equal(found, np.where(expected == 255, 0, expected))


def test_soft_edges_are_as_sure_as_the_classes_are():
    probabilities = torch.full((1, 2, 4, 6), 0.5)
    probabilities[:, 0, :, 3:] = 0.8
    probabilities[:, 1, :, 3:] = 0.2
    expected = torch.zeros(1, 4, 6)
    expected[..., 2:4] = 0.3
    torch.testing.assert_close(soft_edge_map(probabilities), expected)


def test_soft_edges_do_not_see_ignored_pixels():
    logits = torch.randn(1, 3, 5, 7, requires_grad=True)
    ignored = torch.zeros(1, 5, 7, dtype=torch.bool)
    ignored[0, 2, 1:5] = True
    soft_edge_map(logits.softmax(1), ignored).square().sum().backward()
    assert (logits.grad.abs().sum(1)[ignored] == 0).all()
    assert (logits.grad.abs().sum(1)[~ignored] > 0).any()


@pytest.mark.parametrize('width', [1, 2, 3])
def test_widened_edges_reach_as_far_on_each_side(width):
    labels = torch.zeros(1, 6, 14, dtype=torch.int64)
    labels[..., 7:] = 1
    edges = (semantic_edge_map(labels) == 1).float()
    expected = torch.zeros(1, 6, 14)
    expected[..., 7 - width : 7 + width] = 1
    assert torch.equal(widen(edges, width), expected)
