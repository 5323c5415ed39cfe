import numpy as np

from mmrefine.ops import look_predicted


def edges() -> np.ndarray:
    maps = np.zeros((40, 56), np.float32)
    maps[10:14] = 1
    maps[:, 30:34] = 1
    return maps


def test_results_are_probabilities_that_still_show_the_boundary():
    shown = []
    for seed in range(100):
        found = look_predicted(edges(), np.random.default_rng(seed))
        assert found.shape == (40, 56)
        assert found.dtype == np.float32
        assert 0 <= found.min() <= found.max() <= 1
        shown.append(found[edges() > 0].mean() - found[edges() == 0].mean())
    assert min(shown) > 0.15
    assert np.std(shown) > 0.05  # all kinds of certainty


def test_the_same_chance_gives_the_same_and_the_input_stays():
    given = edges()
    first, second = (look_predicted(given, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)
    assert np.array_equal(given, edges())
    assert any(
        np.array_equal(look_predicted(given, np.random.default_rng(s)), given) for s in range(40)
    )
