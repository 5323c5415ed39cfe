"""Clusters are those that were planted; their numbers are those worked out by hand."""

import numpy as np
import pytest

from mmrefine.ops.label_clusters import (
    choose_cluster_counts,
    class_linkage,
    cluster_angles,
    cluster_curve,
    confusion_miou,
    cut_linkage,
    merge_confusion,
)

BLOCKS = [[0, 3, 7], [1, 5], [2], [4, 6, 8]]


def slow_miou(truth: np.ndarray, guess: np.ndarray) -> float:
    """Mean IoU of the labels that occur, counted one label at a time."""
    ious = []
    for label in np.union1d(truth, guess):
        a, b = truth == label, guess == label
        ious.append((a & b).sum() / (a | b).sum())
    return float(np.mean(ious))


def planted(seed: int, within: float = 0.2, between: float = 0.005) -> np.ndarray:
    """Confusion of 9 classes, of 100 to 10,000 pixels, which mix within the blocks."""
    rng = np.random.default_rng(seed)
    shares = rng.uniform(0, between, (9, 9))
    for block in BLOCKS:
        for i in block:
            for j in block:
                if i != j:
                    shares[i, j] = rng.uniform(within, 1.5 * within)
    np.fill_diagonal(shares, 0)
    np.fill_diagonal(shares, 1 - shares.sum(axis=1))
    return shares * rng.uniform(100, 10_000, (9, 1))


@pytest.mark.parametrize('seed', range(5))
def test_planted_blocks_are_found(seed):
    """However many pixels a class has."""
    label_map = cut_linkage(class_linkage(planted(seed)), 4)
    assert label_map.tolist() == [0, 1, 2, 0, 3, 1, 3, 0, 3]


def test_clusters_nest_and_are_as_many_as_asked_for():
    tree = class_linkage(planted(0))
    finer = cut_linkage(tree, 9)
    assert finer.tolist() == list(range(9))
    for count in range(8, 0, -1):
        coarser = cut_linkage(tree, count)
        assert sorted(set(coarser)) == list(range(count))
        pairs = set(zip(finer.tolist(), coarser.tolist(), strict=True))
        assert len(pairs) == count + 1  # two clusters became one, all others stayed
        firsts = [coarser.tolist().index(c) for c in range(count)]
        assert firsts == sorted(firsts)
        finer = coarser


def test_ties_are_cut_all_the_same():
    """Classes that are never confused, and one that does not occur, are still counted out."""
    tree = class_linkage(np.diag([5, 0, 7, 9, 1]))
    for count in range(1, 6):
        assert len(set(cut_linkage(tree, count))) == count


@pytest.mark.parametrize('seed', range(3))
def test_miou_of_merged_labels_is_that_of_a_count_pixel_by_pixel(seed):
    rng = np.random.default_rng(seed)
    truth, guess = rng.integers(0, 6, (2, 41, 37))
    guess[:20] = truth[:20]
    confusion = np.zeros((7, 7))
    np.add.at(confusion, (truth, guess), 1)  # class 6 does not occur
    label_map = np.array([0, 1, 0, 2, 1, 2, 3])
    found = confusion_miou(merge_confusion(confusion, label_map))
    assert found == pytest.approx(slow_miou(label_map[truth], label_map[guess]))
    assert confusion_miou(confusion) == pytest.approx(slow_miou(truth, guess))


def test_a_random_classifier_is_better_at_fewer_clusters():
    curve = cluster_curve(np.ones((12, 12)))
    assert curve[0] > 2 * curve[-1]
    assert curve[-1] == pytest.approx(1 / 23)
    assert confusion_miou(np.zeros((3, 3))) == 0


def test_angle():
    """m(k) = k / K is 45 degrees."""
    np.testing.assert_allclose(cluster_angles(np.array([0.5, 0.75, 1.0])), np.pi / 4)


def test_numbers_of_clusters_by_hand():
    """K = 4. The last layer has m(4) = 0.6: its ratio of m to k / K is 0.6.

    Of the first layer the ratios at k = 2, 3, 4 are 0.7 / 0.5, 0.48 / 0.75 and 0.2: 3 is nearest.
    """
    first = np.array([0.7, 0.48, 0.2])
    last = np.array([0.9, 0.8, 0.6])
    assert choose_cluster_counts([first, last]) == [3, 4]
    weak = np.array([0.31, 0.1, 0.05])  # ratios 0.62, 0.13, 0.05
    assert choose_cluster_counts([weak, last]) == [2, 4]
    assert choose_cluster_counts([last, last]) == [4, 4]


def test_no_layer_has_more_clusters_than_the_next():
    strong, weak = np.array([0.9, 0.8, 0.6]), np.array([0.31, 0.1, 0.05])
    assert choose_cluster_counts([strong, weak, strong]) == [2, 2, 4]
    rng = np.random.default_rng(0)
    for _ in range(50):
        curves = [np.sort(rng.uniform(0, 1, 10))[::-1] for _ in range(4)]
        counts = choose_cluster_counts(curves)
        assert counts == sorted(counts)
        assert counts[-1] == 11
        assert counts[0] >= 2


@pytest.mark.parametrize(
    ('call', 'text'),
    [
        (lambda: class_linkage(np.ones((3, 4))), r'confusion: expected \(K, K\) .* got \(3, 4\)'),
        (lambda: class_linkage(np.ones((1, 1))), r'with K of 2 or more, got \(1, 1\)'),
        (lambda: class_linkage(-np.ones((3, 3))), r'finite counts of 0 or more'),
        (lambda: cut_linkage(class_linkage(np.eye(4)), 5), r'expected 1 to 4 classes, got 5'),
        (lambda: choose_cluster_counts([]), r'curves: expected some'),
        (lambda: choose_cluster_counts([np.ones(3), np.ones(4)]), r'got lengths \[3, 4\]'),
    ],
)
def test_wrong_input_is_named(call, text):
    with pytest.raises(ValueError, match=text):
        call()
