"""apply_votes: a label changes where those against it are sure, to the one with the most votes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mmrefine.ops import apply_offset, apply_votes, direction_to_offset


def offsets(num_directions: int) -> np.ndarray:
    """(m, 2), (dy, dx) of each direction."""
    classes = np.arange(num_directions, dtype=np.uint8)[None]
    return direction_to_offset(classes, num_directions)[:, 0].T


def plain(masks, votes, scale, min_confidence, ignore_index=None):
    """Pixel by pixel, label by label."""
    if masks.ndim == 3:
        return np.stack([plain(m, votes, scale, min_confidence) for m in masks])
    result = masks.copy()
    height, width = masks.shape
    steps = offsets(len(votes)) * scale
    for y in range(height):
        for x in range(width):
            own = masks[y, x]
            if own == ignore_index:
                continue
            tally = {}
            for d, (dy, dx) in enumerate(steps):
                label = masks[min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)]
                if label not in (own, ignore_index):
                    tally[label] = tally.get(label, 0) + votes[d, y, x]
            if sum(tally.values()) > min_confidence:
                result[y, x] = max(tally, key=tally.get)
    return result


def random_votes(rng, num_directions, size_hw):
    """Sums from 0 to 1, in 64ths, so that no rounding decides."""
    votes = np.zeros((num_directions, *size_hw), np.float32)
    for y in range(size_hw[0]):
        for x in range(size_hw[1]):
            drawn = rng.multinomial(64, rng.dirichlet(np.ones(num_directions + 1) / 2))
            votes[:, y, x] = drawn[:-1] / 64
    return votes


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([4, 8]),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.26, 0.51, 0.9]),
    st.sampled_from([None, 2]),
)
def test_label_maps_against_pixel_by_pixel(seed, directions, scale, confidence, ignored):
    rng = np.random.default_rng(seed)
    size_hw = tuple(rng.integers(1, 9, 2))
    labels = rng.integers(0, 4, size_hw).astype(np.int32)
    votes = random_votes(rng, directions, size_hw)
    found = apply_votes(labels, votes, scale, confidence, ignored)
    expected = plain(labels, votes, scale, confidence, ignored)
    # where two labels have the same votes, either is right
    for y, x in np.argwhere(found != expected):
        changed_y = (y + offsets(directions)[:, 0] * scale).clip(0, size_hw[0] - 1)
        changed_x = (x + offsets(directions)[:, 1] * scale).clip(0, size_hw[1] - 1)
        reached = labels[changed_y, changed_x]
        sums = [votes[reached == v, y, x].sum() for v in (found[y, x], expected[y, x])]
        assert sums[0] == sums[1]
        assert found[y, x] != labels[y, x]
    assert found.dtype == labels.dtype


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.sampled_from([0.26, 0.51]))
def test_stacks_against_pixel_by_pixel(seed, scale, confidence):
    rng = np.random.default_rng(seed)
    size_hw = tuple(rng.integers(4, 15, 2))
    masks = np.zeros((4, *size_hw), bool)  # empty, full, somewhere, at the border
    masks[1] = True
    top, left = rng.integers(0, 4, 2)
    masks[2, top : top + 3, left : left + 2] = True
    masks[3, -2:, -3:] = True
    votes = random_votes(rng, 8, size_hw)
    found = apply_votes(masks, votes, scale, confidence)
    assert np.array_equal(found, plain(masks, votes, scale, confidence))
    assert found.dtype == bool


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(np.uint8, (5, 9), elements=st.integers(0, 3)),
    arrays.arrays(np.uint8, (5, 9), elements=st.integers(0, 7)),
    arrays.arrays(bool, (5, 9)),
)
def test_one_direction_alone_is_the_published_rule(labels, direction, boundary):
    votes = (np.arange(8)[:, None, None] == direction) * boundary.astype(np.float32)
    offset = direction_to_offset(direction, 8).astype(np.int8) * boundary
    expected = apply_offset(labels, offset, scale=2)
    assert np.array_equal(apply_votes(labels, votes, 2, 0.99), expected)


def test_two_directions_against_one():
    """40 % say stay, 35 % and 25 % lead to 5 together: the most probable one alone would stay."""
    labels = np.array([[7, 7, 7, 5, 5, 5]])
    steps = offsets(8)
    stay = next(d for d, step in enumerate(steps) if tuple(step) == (0, -1))
    others = [d for d, step in enumerate(steps) if step[1] == 1][:2]
    votes = np.zeros((8, 1, 6), np.float16)
    votes[stay, 0, 2], votes[others[0], 0, 2], votes[others[1], 0, 2] = 0.4, 0.35, 0.25
    assert apply_votes(labels, votes, 1, 0.5).tolist() == [[7, 7, 5, 5, 5, 5]]
    assert apply_votes(labels, votes, 1, 0.65).tolist() == labels.tolist()


def plain_steps(labels, votes, confidence, steps, ignored):
    """Pixel by pixel; an outline is off where a quarter of the pixels along it are to change."""
    height, width = labels.shape

    def along(y, x):
        for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            inside = 0 <= near[0] < height and 0 <= near[1] < width
            if inside and labels[near] != labels[y, x] and ignored not in (labels[near], own):
                return True
        return False

    labels = plain(labels, votes, 1, confidence, ignored)
    for _ in range(steps - 1):
        sure, voted = (plain(labels, votes, 1, c, ignored) != labels for c in (0.65, 0.5))
        edges = np.zeros(labels.shape, bool)
        for y, x in np.ndindex(labels.shape):
            own = labels[y, x]
            edges[y, x] = along(y, x)
        changed = labels.copy()
        target = plain(labels, votes, 1, max(confidence, 0.65), ignored)
        for y, x in np.argwhere(sure):
            near = slice(max(y - 80, 0), y + 81), slice(max(x - 80, 0), x + 81)
            if (edges & voted)[near].sum() > edges[near].sum() / 4:
                changed[y, x] = target[y, x]
        labels = changed
    return labels


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([None, 2]))
def test_steps_against_pixel_by_pixel(seed, steps, ignored):
    """Directions that mostly agree, on images larger than the reach of what is off."""
    rng = np.random.default_rng(seed)
    size_hw = (9, 203)
    labels = np.kron(rng.integers(0, 2 + bool(ignored), (3, 9)), np.ones((3, 23), int))[:, :203]
    labels = labels.astype(np.uint8)
    coarse = rng.dirichlet(np.ones(9) / 4, (3, 8))
    votes = np.kron(coarse, np.ones((3, 26, 1)))[:, :203, :8].transpose(2, 0, 1)
    votes = np.floor(votes * 64).astype(np.float32) / 64
    expected = plain_steps(labels, votes, 0.5, steps, ignored)
    found = apply_votes(labels, votes, 1, 0.5, ignored, steps)
    assert np.array_equal(found, expected)
    assert found.shape == size_hw


def test_a_mask_that_is_off_gets_there_and_a_small_spike_stays():
    """A field that says: object up to column 20. Five columns too many go; few pixels stay."""
    votes = np.zeros((8, 30, 41), np.float32)
    right = next(d for d, step in enumerate(offsets(8)) if tuple(step) == (0, 1))
    votes[right, :, 20:] = votes[(right + 4) % 8, :, :20] = 0.9
    true = np.zeros((30, 41), bool)
    true[:, :20] = True
    grown = np.zeros_like(true)
    grown[:, :25] = True
    assert np.array_equal(apply_votes(grown[None], votes, 1, 0.5, steps=6)[0], true)
    one = apply_votes(grown[None], votes, 1, 0.5)[0]
    assert one.sum(1).tolist() == [24] * 30
    spiky = true.copy()
    spiky[14:17, 20:24] = True  # of an outline of 30 pixels, three
    found = apply_votes(spiky[None], votes, 1, 0.5, steps=6)[0]
    assert found[14:17].sum(1).tolist() == [23] * 3
    assert np.array_equal(np.delete(found, [14, 15, 16], 0), np.delete(true, [14, 15, 16], 0))


@pytest.mark.parametrize(
    ('mask_shape', 'votes_shape', 'options', 'message'),
    [
        ((3, 5), (8, 3, 4), {}, r'got \(3, 5\) and \(8, 3, 4\)'),
        ((3, 4), (3, 4), {}, r'got \(3, 4\) and \(3, 4\)'),
        ((3, 4), (8, 3, 4), dict(scale=0), 'scale > 0.*got 0 and 0.5'),
        ((3, 4), (8, 3, 4), dict(min_confidence=1.5), 'got 2 and 1.5'),
        ((3, 4), (8, 3, 4), dict(steps=0), 'steps must be at least 1, got 0'),
        ((3, 4), (5, 3, 4), {}, 'num_directions must be .*got 5'),
    ],
)
def test_refused(mask_shape, votes_shape, options, message):
    with pytest.raises(ValueError, match=message):
        apply_votes(np.zeros(mask_shape, int), np.zeros(votes_shape, np.float32), **options)


@pytest.mark.parametrize('dtype', [torch.bool, torch.uint8, torch.int32, torch.int64])
@pytest.mark.parametrize('stack', [False, True])
def test_tensors_give_tensors(dtype, stack):
    rng = np.random.default_rng(0)
    labels = torch.from_numpy(np.kron(rng.integers(0, 3, (3, 4)), np.ones((3, 2), int)))
    masks = (torch.stack([labels == 1, labels > 5]) if stack else labels).to(dtype)
    for kind in (torch.float32, torch.float16, torch.bfloat16):
        votes = torch.from_numpy(random_votes(rng, 8, (9, 8))).to(kind)
        before = masks.clone()
        found = apply_votes(masks, votes, 1, 0.3)
        expected = apply_votes(masks.numpy(), votes.float().numpy(), 1, 0.3)
        assert isinstance(found, torch.Tensor)
        assert found.dtype == dtype
        assert np.array_equal(found.numpy(), expected)
        assert torch.equal(masks, before)
        assert (found != masks).any()


def test_arrays_and_tensors_do_not_mix():
    labels, votes = np.zeros((3, 4), np.uint8), np.zeros((8, 3, 4), np.float32)
    for mixed in ((labels, torch.from_numpy(votes)), (torch.from_numpy(labels), votes)):
        with pytest.raises(TypeError, match='masks and votes must both be numpy arrays or both'):
            apply_votes(*mixed)
