"""Which changes a refiner believes."""

import numpy as np
import pytest

from mmrefine.refiners.leave_alone import (
    Weights,
    believe,
    log_odds,
    off_along_outline,
    weights_of,
    without_specks,
)

SIZE = (12, 20)
WEIGHTS = Weights(change=1.0, here=0.5, whole=2.0, bias=-1.0)


def believed(mask, probabilities, off, covered):
    whole = off_along_outline(mask, off, covered)
    return believe(mask, probabilities, off, whole, WEIGHTS)


def scene(off=0.5):
    """A coarse mask, and a network that wants it one column further right."""
    mask = np.zeros(SIZE, bool)
    mask[3:9, 5:12] = True
    probabilities = np.full(SIZE, 0.1, np.float32)
    probabilities[3:9, 6:13] = 0.9
    return mask, probabilities, np.full(SIZE, off, np.float32), np.ones(SIZE, bool)


def test_a_change_is_believed_as_much_as_the_mask_is_off():
    wanted = scene()[1] > 0.5
    assert (believed(*scene(off=0.02)) > 0.5).tolist() == scene()[0].tolist()
    assert (believed(*scene(off=0.98)) > 0.5).tolist() == wanted.tolist()
    shares = [believed(*scene(off=o))[5, 12] for o in (0.02, 0.3, 0.6, 0.98)]
    assert shares == sorted(shares)


def test_evidence_adds_up_in_log_odds():
    mask, probabilities, off, covered = scene(off=0.7)
    found = believed(mask, probabilities, off, covered)[5, 12]
    odds = np.log(9) + 0.5 * np.log(7 / 3) + 2 * np.log(7 / 3) - 1
    assert found == pytest.approx(1 / (1 + np.exp(-odds)))
    # what becomes background is believed alike
    assert believed(mask, probabilities, off, covered)[5, 5] == pytest.approx(1 - found)


def test_agreement_stays_agreement():
    """However off a mask may be, nothing changes where the network agrees with it."""
    mask, probabilities, off, covered = scene(off=0.99)
    found = believed(mask, probabilities, off, covered) > 0.5
    agrees = (probabilities > 0.5) == mask
    assert (found == mask)[agrees].all()


def test_object_and_background_are_treated_alike():
    rng = np.random.default_rng(0)
    mask, _, _, covered = scene()
    probabilities, off = rng.random(SIZE, np.float32), rng.random(SIZE, np.float32)
    one = believed(mask, probabilities, off, covered)
    other = believed(~mask, 1 - probabilities, off, covered)
    # the outline of both is the same, up to what lies outside the image
    np.testing.assert_allclose(one, 1 - other, atol=0.1)


def test_only_the_outline_that_was_looked_at_counts():
    mask, _, off, covered = scene(off=0.1)
    off[:, 10:] = 0.9
    covered[:, 10:] = False
    assert off_along_outline(mask, off, covered) == pytest.approx(np.log(0.1 / 0.9), abs=1e-5)
    assert off_along_outline(np.zeros(SIZE, bool), off, covered) == 0
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()


def test_specks_are_taken_back():
    mask = np.zeros((40, 60), bool)
    mask[5:35, 5:40] = True
    wanted = mask.copy()
    wanted[10:12, 40:44] = True  # grows
    wanted[10:30, 50:55] = True  # an island of some size
    specks = np.zeros_like(mask)
    specks[5, 47], specks[20:23, 20:23] = True, True  # an island and a hole
    probabilities = np.where(wanted ^ specks, 0.8, 0.1).astype(np.float32)
    found = without_specks(mask, probabilities)
    np.testing.assert_array_equal(found > 0.5, wanted)
    np.testing.assert_array_equal(found[~specks], probabilities[~specks])
    np.testing.assert_allclose(without_specks(~mask, 1 - probabilities), 1 - found)


def test_settings():
    assert weights_of(None) is None
    assert weights_of(dict(change=1, here=0.5, whole=2, bias=-1)) == WEIGHTS
    for wrong in (
        dict(change=1),
        dict(change='a', here=1, whole=1, bias=0),
        dict(WEIGHTS._asdict(), x=1),
    ):
        with pytest.raises(ValueError, match='leave_alone: expected numbers change, here'):
            weights_of(wrong)
