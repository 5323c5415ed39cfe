"""Perceptual consistency against a brute force that follows the equations, and its properties."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrefine.measures import (
    auroc,
    consistency_maps,
    perceptual_consistency,
    predicted_correctness,
    total,
)

from .drawing import VOID, blobs

GRID = (6, 9)


def scene(seed, size_hw=GRID, channels=12):
    """Features and labels at random, features not of unit length."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(channels, *size_hw)).astype(np.float32) * 3
    return features, blobs(rng, size_hw, 4, grain=2)


def score(a, b, **options):
    counts = perceptual_consistency((a[0], b[0]), (a[1], b[1]), **options)
    return counts.figures()['perceptual_consistency']


def brute_force(a, b):
    """Equations 1 to 4, cell by cell."""
    (fa, la), (fb, lb) = ((f.reshape(len(f), -1).T, m.ravel()) for f, m in (a, b))
    means = []
    for (f, own), (g, other) in (((fa, la), (fb, lb)), ((fb, lb), (fa, la))):
        values = []
        for i in range(len(f)):
            if own[i] == VOID:
                continue
            row = [
                float(f[i] @ g[j] / np.linalg.norm(f[i]) / np.linalg.norm(g[j]))
                for j in range(len(g))
                if other[j] != VOID
            ]
            equal = [float(own[i] == label) for label in other if label != VOID]
            top, mean = max(row), sum(row) / len(row)
            same = max(c * e for c, e in zip(row, equal, strict=True))
            values.append((same - mean) / (top - mean))
        means.append(np.mean(values))
    return min(means)


@pytest.mark.parametrize('seed', range(4))
def test_as_the_equations_say(seed):
    (fa, la), (fb, lb) = scene(seed), scene(seed + 50, (5, 7))
    la[:2, 3:], lb[4:] = VOID, VOID
    assert score((fa, la), (fb, lb)) == pytest.approx(brute_force((fa, la), (fb, lb)), abs=1e-4)


def test_a_drawn_pair():
    """Three cells with orthogonal features: the third finds its like under another label."""
    features = np.eye(3, dtype=np.float32)[:, None]
    first, second = np.array([[0, 1, 2]]), np.array([[0, 1, 1]])
    forward, backward = consistency_maps((features, features), (first, second))
    # Without a partner, S = 0: (0 - 1/3) / (1 - 1/3) = -1/2.
    np.testing.assert_allclose(forward, [[1, 1, -0.5]], atol=1e-6)
    np.testing.assert_allclose(backward, [[1, 1, -0.5]], atol=1e-6)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_same_frame_scores_one_and_nothing_scores_more(seed):
    a, b = scene(seed), scene(seed + 1)
    assert score(a, a) == pytest.approx(1, abs=1e-5)
    assert score(a, b) <= 1 + 1e-5


def test_label_numbers_do_not_matter():
    (fa, la), (fb, lb) = scene(0), scene(1)
    order = np.array([2, 0, 3, 1])
    assert score((fa, la), (fb, lb)) == score((fa, order[la]), (fb, order[lb]))


def test_symmetric():
    a, b = scene(0), scene(1, (4, 11))
    assert score(a, b) == pytest.approx(score(b, a), abs=1e-6)


def test_falls_with_the_share_of_relabelled_cells():
    features, labels = scene(3, (20, 30))
    order = np.random.default_rng(0).permutation(labels.size)
    scores = []
    for share in (0, 0.1, 0.2, 0.3, 0.5):
        changed = labels.copy().ravel()
        changed[order[: int(share * labels.size)]] += 10
        scores.append(score((features, labels), (features, changed.reshape(labels.shape))))
    assert all(before > after + 0.02 for before, after in itertools.pairwise(scores))


def test_a_moved_scene_stays_consistent():
    features, labels = scene(5, (24, 32))
    by = 3
    a, b = (features[:, :, by:], labels[:, by:]), (features[:, :, :-by], labels[:, :-by])
    assert np.mean(a[1] == b[1]) < 0.8
    overlap = slice(None), slice(None), slice(None, -by)
    a, b = (a[0][overlap], a[1][:, :-by]), (b[0][:, :, by:], b[1][:, by:])
    assert score(a, b) >= 0.95


@pytest.mark.parametrize('chunk', [1, 7, 54, 1000])
def test_chunks_do_not_matter(chunk):
    a, b = scene(0), scene(1)
    whole = consistency_maps((a[0], b[0]), (a[1], b[1]), chunk=54)
    parts = consistency_maps((a[0], b[0]), (a[1], b[1]), chunk=chunk)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_ignored_cells_neither_count_nor_match():
    (fa, la), (fb, lb) = scene(0), scene(1)
    hidden_a, hidden_b = la.copy(), lb.copy()
    hidden_a[:, :4], hidden_b[:2] = VOID, VOID
    cut = score((fa[:, :, 4:], la[:, 4:]), (fb[:, 2:], lb[2:]))
    assert score((fa, hidden_a), (fb, hidden_b)) == pytest.approx(cut, abs=1e-6)
    forward, _ = consistency_maps((fa, fb), (hidden_a, hidden_b))
    assert forward[:, :4].isnan().all()
    assert not forward[:, 4:].isnan().any()


def test_nothing_to_judge_is_nan_and_does_not_spoil_the_mean():
    a = scene(0)
    nothing = np.full(GRID, VOID)
    alike = np.ones_like(a[0])
    for features, labels in (((a[0], a[0]), (a[1], nothing)), ((alike, alike), (a[1], a[1]))):
        counts = perceptual_consistency(features, labels)
        assert np.isnan(counts.figures()['perceptual_consistency'])
        with_one = total([counts, perceptual_consistency((a[0], a[0]), (a[1], a[1]))])
        assert with_one.figures()['perceptual_consistency'] == pytest.approx(1, abs=1e-5)


def test_labels_come_down_to_the_grid_by_their_nearest():
    features, labels = scene(0)
    large = np.kron(labels, np.ones((8, 4), np.uint8))
    a, b = (features, large), scene(1)
    assert score(a, b) == score((features, labels), b)


def test_caller_keeps_its_arrays():
    features, labels = scene(0)
    before = features.copy(), labels.copy()
    score((features, labels), (features, labels))
    np.testing.assert_array_equal(features, before[0])
    np.testing.assert_array_equal(labels, before[1])


def test_torch_and_numpy_agree():
    a, b = scene(0), scene(1)
    tensors = [(torch.from_numpy(f).half(), torch.from_numpy(m)) for f, m in (a, b)]
    assert score(*tensors) == pytest.approx(score(a, b), abs=2e-3)


@pytest.mark.parametrize(
    ('features', 'labels', 'error', 'text'),
    [
        ([(3, 4), (3, 4)], np.zeros((2, 2), int), ValueError, 'features: must be two of'),
        ([(3, 2, 2), (4, 2, 2)], np.zeros((2, 2), int), ValueError, 'with one C'),
        ([(3, 2, 2)] * 2, np.zeros((2, 2)), TypeError, 'labels'),
        ([(3, 2, 2)] * 2, np.zeros(4, int), ValueError, 'labels'),
    ],
)
def test_wrong_input_is_named(features, labels, error, text):
    with pytest.raises(error, match=text):
        perceptual_consistency(tuple(map(np.zeros, features)), (labels, labels))
    with pytest.raises(ValueError, match='chunk'):
        score(scene(0), scene(1), chunk=0)


def test_trust_is_low_where_the_prediction_differs_from_the_neighbours_truth():
    features, labels = scene(2, (10, 14))
    wrong = np.zeros(labels.shape, bool)
    wrong[2:5, 3:9] = True
    prediction = np.where(wrong, (labels + 1) % 4, labels)
    trust = predicted_correctness((features, features), prediction, labels)
    assert trust[~wrong].min() == pytest.approx(1, abs=1e-5)
    assert trust[wrong].max() < 1
    assert auroc(trust, ~wrong) == 1
    confidence = np.full(labels.shape, 0.5, np.float32)
    half = predicted_correctness((features, features), prediction, labels, confidence)
    np.testing.assert_allclose(half, trust / 2)
    with pytest.raises(ValueError, match='confidence'):
        predicted_correctness((features, features), prediction, labels, confidence[1:])


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
@settings(max_examples=50, deadline=None)
def test_auroc_counts_pairs(items):
    scores, positive = (np.array(part) for part in zip(*items, strict=True))
    pairs = [(p, n) for p in scores[positive] for n in scores[~positive]]
    if not pairs:
        assert np.isnan(auroc(scores, positive))
        return
    expected = np.mean([(p > n) + (p == n) / 2 for p, n in pairs])
    assert auroc(scores, positive) == pytest.approx(expected)


def test_auroc_wants_one_score_each():
    with pytest.raises(ValueError, match='one length'):
        auroc(np.zeros(3), np.zeros(4, bool))
