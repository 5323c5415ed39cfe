import numpy as np
import pytest

from mmrefine.ops import draw_label_map, semantic_edge_map


def draw(seed: int, size_hw: tuple[int, int] = (40, 56), num_classes: int = 7) -> np.ndarray:
    return draw_label_map(size_hw, num_classes, np.random.default_rng(seed))


def test_labels_are_classes_all_of_which_occur():
    maps = [draw(seed) for seed in range(60)]
    assert all(m.shape == (40, 56) and m.dtype == np.int64 for m in maps)
    assert set(np.unique(maps)) == set(range(7))


def test_edges_are_neither_everywhere_nor_nowhere():
    shares = [(semantic_edge_map(draw(seed)) == 1).mean() for seed in range(60)]
    assert 0.05 < np.mean(shares) < 0.5
    assert np.std(shares) > 0.05  # busy maps and quiet ones


def test_chance_comes_from_the_generator_alone():
    assert np.array_equal(draw(3), draw(3))
    assert not np.array_equal(draw(3), draw(4))


@pytest.mark.parametrize('size_hw', [(1, 1), (1, 9), (9, 1), (3, 100)])
def test_any_size(size_hw):
    for seed in range(20):
        assert draw(seed, size_hw).shape == size_hw


@pytest.mark.parametrize(
    ('size_hw', 'num_classes', 'text'),
    [((4, 5), 1, 'num_classes must be at least 2, got 1'), ((0, 5), 3, 'size_hw must be two')],
)
def test_wrong_arguments(size_hw, num_classes, text):
    with pytest.raises(ValueError, match=text):
        draw(0, size_hw, num_classes)
