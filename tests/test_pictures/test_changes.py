"""What changed is found and shown, at the right place and in the right colour."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrefine.apis import draw_refinement
from mmrefine.pictures.changes import INSET_HW, densest_parts, find_changes
from mmrefine.pictures.drawing import BROKEN, COARSE, FIXED, OTHER, REFINED

GREY = np.full((90, 160, 3), 128, np.uint8)


def label_maps():
    """Before: a block; after: moved right by 4; truth: moved right by 2."""
    maps = []
    for shift in (0, 4, 2):
        labels = np.zeros((90, 160), np.uint8)
        labels[30:50, 40 + shift : 70 + shift] = 1
        maps.append(labels)
    return maps


def near(picture, colour, tolerance=12):
    return (np.abs(picture.astype(int) - np.array(colour)).max(-1) <= tolerance).sum()


def test_changes_without_truth():
    before, after, _ = label_maps()
    changes = find_changes(before, after)
    assert not changes.fixed.any()
    assert not changes.broken.any()
    assert np.array_equal(changes.other, before != after)
    assert np.array_equal(changes.any, before != after)


def test_changes_are_told_apart_by_hand():
    before = np.array([[0, 0, 0, 1, 1, 2]])
    after_ = np.array([[0, 1, 1, 1, 2, 1]])
    truth_ = np.array([[0, 1, 0, 0, 0, 255]])
    changes = find_changes(before, after_, truth_)
    assert changes.fixed.tolist() == [[False, True, False, False, False, False]]
    assert changes.broken.tolist() == [[False, False, True, False, False, False]]
    assert changes.other.tolist() == [[False, False, False, False, True, True]]
    assert find_changes(before, after_, truth_, None).other.tolist()[0][5]


def test_changes_of_a_stack_add_up_over_masks():
    before = np.zeros((2, 1, 4), bool)
    after, truth = before.copy(), before.copy()
    after[0, 0, :3] = True
    after[1, 0, 2] = True
    truth[0, 0, 0], truth[1, 0, 2] = True, True
    changes = find_changes(before, after, truth)
    assert changes.fixed.tolist() == [[True, False, False, False]]
    assert changes.broken.tolist() == [[False, True, False, False]]
    assert changes.other.tolist() == [[False, False, True, False]], 'one right, one wrong'


@pytest.mark.parametrize('size_hw', [(160, 230), (150, 200), (20, 30), (149, 260)])
def test_densest_part_by_trying_all(size_hw):
    rng = np.random.default_rng(3)
    weight = np.zeros(size_hw, np.float32)
    weight.ravel()[rng.integers(0, weight.size, 40)] = rng.choice([-1, 1, 1], 40)
    ((rows, columns),) = densest_parts(weight, (150, 200), 1)
    height, width = min(150, size_hw[0]), min(200, size_hw[1])
    assert (rows.stop - rows.start, columns.stop - columns.start) == (height, width)
    best = max(
        weight[top : top + height, left : left + width].sum()
        for top in range(size_hw[0] - height + 1)
        for left in range(size_hw[1] - width + 1)
    )
    assert weight[rows, columns].sum() == best


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 5), st.integers(1, 12), st.integers(1, 12))
def test_parts_lie_inside_apart_and_in_order(seed, count, height, width):
    rng = np.random.default_rng(seed)
    weight = (rng.random((17, 23)) < 0.05).astype(np.float32)
    parts = densest_parts(weight, (height, width), count)
    assert len(parts) <= count
    taken = np.zeros(weight.shape, int)
    for rows, columns in parts:
        assert 0 <= rows.start < rows.stop <= 17
        assert 0 <= columns.start < columns.stop <= 23
        taken[rows, columns] += 1
    assert taken.max(initial=0) <= 1
    sums = [weight[part].sum() for part in parts]
    assert sums == sorted(sums, reverse=True)
    assert all(s > 0 for s in sums[1:])


def test_picture_without_truth():
    before, after, _ = label_maps()
    picture = draw_refinement(GREY, before, after, insets=1)
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (1000, 3)
    left, right = picture[30:300, :496], picture[30:300, 504:]
    assert near(left, COARSE, 60) > 100
    assert near(left, REFINED, 60) == 0
    assert near(right, REFINED, 60) > 100
    assert near(right, COARSE, 60) == 0
    changed = picture[345:, 672:]
    shade = 0.85 * np.array(OTHER) + 0.15 * 210
    assert near(changed, shade) > 0.8 * (before != after).sum() * 4**2
    assert near(changed, FIXED, 30) == near(changed, BROKEN, 30) == 0


def test_contours_are_where_the_mask_is():
    """In the overview, 496 pixels for 160: the block is at 40 to 70 before, 44 to 74 after."""
    before, after, _ = label_maps()
    picture = draw_refinement(GREY, before, after, insets=0)
    heading = picture.shape[0] - 8 - round(496 / 160 * 90)
    for start, colour, shift in ((0, COARSE, 0), (504, REFINED, 4)):
        row = picture[heading + round(3.1 * 40), start : start + 496].astype(int)
        line = (np.abs(row - np.array(colour)).max(-1) < 60).nonzero()[0] / 3.1
        assert np.abs(line.min() - 40 - shift) < 0.7
        assert np.abs(line.max() - 70 - shift) < 0.7


def test_fixed_and_broken_have_their_colours():
    before, after, truth = label_maps()
    for target, present, absent in ((after, FIXED, BROKEN), (before, BROKEN, FIXED)):
        picture = draw_refinement(GREY, before, after, target, insets=1)[345:, 672:]
        assert near(picture, 0.85 * np.array(present) + 0.15 * 210, 15) > 800
        assert near(picture, 0.85 * np.array(absent) + 0.15 * 210, 15) == 0
    picture = draw_refinement(GREY, before, after, truth, insets=1)[345:, 672:]
    for colour in (FIXED, BROKEN):
        assert near(picture, 0.85 * np.array(colour) + 0.15 * 210, 15) > 400


def test_only_places_with_changes_are_enlarged():
    before, after, _ = label_maps()
    without = draw_refinement(GREY, before, before)
    one = draw_refinement(GREY, before, after, insets=1)
    two = draw_refinement(GREY, before, after, insets=9)
    assert without.shape[0] < one.shape[0]
    assert one.shape == two.shape, 'all changes are inside of one inset'
    after[80:, :] = 1
    three = draw_refinement(GREY, before, after, insets=9)
    assert three.shape[0] > one.shape[0]


@pytest.mark.parametrize('size_hw', [(20, 30), (300, 40), (40, 300), INSET_HW, (5, 700)])
@pytest.mark.parametrize('kind', ['labels', 'stack', 'full', 'empty'])
def test_images_of_any_size(size_hw, kind):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    shape = size_hw if kind == 'labels' else (3, *size_hw)
    before = rng.integers(0, 2, shape, dtype=np.uint8)
    if kind in ('full', 'empty'):
        before[:] = kind == 'full'
    after = np.roll(before, 2, -1)
    picture = draw_refinement(image, before, after, np.roll(before, 1, -1), width=300)
    assert picture.shape[1] == 300
    assert picture.shape[0] > 20


def test_an_empty_stack():
    nothing = np.zeros((0, 90, 160), bool)
    picture = draw_refinement(GREY, nothing, nothing, nothing)
    assert near(picture[31:-9, 1:495], (128, 128, 128), 1) == picture[31:-9, 1:495].shape[0] * 494


def test_wrong_arguments_are_refused():
    before, after, truth = label_maps()
    with pytest.raises(ValueError, match='size 90x159'):
        draw_refinement(GREY, before[:, 1:], after[:, 1:])
    with pytest.raises(ValueError, match=r'after: expected the shape of before, \(90, 160\), got'):
        draw_refinement(GREY, before, after[1:])
    with pytest.raises(ValueError, match='truth: expected the shape of before'):
        draw_refinement(GREY, before, after, truth[None])
    with pytest.raises(ValueError, match='insets: expected 0 or more, got -1'):
        draw_refinement(GREY, before, after, insets=-1)
    with pytest.raises(ValueError, match='width: expected 200 or more, got 20'):
        draw_refinement(GREY, before, after, width=20)
    with pytest.raises(TypeError, match='image: expected a uint8 array'):
        draw_refinement(GREY / 255, before, after)
