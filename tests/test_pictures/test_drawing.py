"""Contours lie on the edges of pixels; areas on the pixels themselves."""

import cv2
import numpy as np
import pytest

from mmrefine.pictures.drawing import (
    BROKEN,
    COARSE,
    FIXED,
    INK,
    OTHER,
    REFINED,
    WHITE,
    bgr,
    draw_box,
    draw_contours,
    fill,
    resized,
    write,
)

RED = (0, 0, 255)


def blank(height, width):
    return np.full((height, width, 3), 255, np.uint8)


def drawn(*args, **options):
    """Where contours alone are drawn on white."""
    picture = blank(*args[0])
    draw_contours(picture, args[1], RED, **options)
    return (picture != 255).any(-1)


def test_line_lies_evenly_on_both_sides_of_the_edge():
    labels = np.zeros((5, 9), np.uint8)
    labels[:, 4:] = 3
    found = drawn((50, 90), labels, thickness=4, casing=0)
    expected = np.zeros((50, 90), bool)
    expected[:, 38:42] = True
    assert np.array_equal(found, expected)
    found = drawn((90, 50), labels.T, thickness=4, casing=0)
    assert np.array_equal(found, expected.T)


def test_casing_is_around_the_line():
    labels = np.zeros((5, 9), np.uint8)
    labels[:, 4:] = 3
    picture = blank(50, 90)
    draw_contours(picture, labels, RED, thickness=2, casing=2)
    row = picture[25]
    assert (row[39:41] == RED).all()
    dark = np.abs(row.astype(int) - (0.75 * np.array(INK) + 0.25 * 255)).max(-1) <= 1
    assert dark.nonzero()[0].tolist() == [37, 38, 41, 42]
    assert (row[[*range(37), *range(43, 90)]] == 255).all()


@pytest.mark.parametrize('zoom', [1, 2, 3, 7])
def test_closed_outline_of_one_pixel(zoom):
    labels = np.zeros((5, 8), np.int32)
    labels[2, 3] = 70_000
    # The line is as thick as it can be thin: one pixel on each side of the edge.
    found = drawn((5 * zoom, 8 * zoom), labels, thickness=2, casing=0)
    outer = np.zeros_like(found)
    outer[2 * zoom - 1 : 3 * zoom + 1, 3 * zoom - 1 : 4 * zoom + 1] = True
    outer[2 * zoom + 1 : 3 * zoom - 1, 3 * zoom + 1 : 4 * zoom - 1] = False
    assert np.array_equal(found, outer)


@pytest.mark.parametrize('value', [0, 1])
def test_one_label_and_the_border_have_no_contour(value):
    labels = np.full((6, 9), value, np.uint8)
    assert not drawn((60, 90), labels).any()
    assert not drawn((60, 90), labels.astype(bool)[None]).any()
    assert not drawn((60, 90), np.zeros((0, 6, 9), bool)).any()


def test_contour_ends_at_the_border():
    labels = np.zeros((6, 9), np.uint8)
    labels[:2, :3] = 1
    found = drawn((60, 90), labels, thickness=2, casing=0)
    assert found[0].nonzero()[0].tolist() == [29, 30]
    assert found[:, 0].nonzero()[0].tolist() == [19, 20]
    assert not found[30:].any()


def test_each_mask_of_a_stack_has_its_contour():
    stack = np.zeros((2, 6, 12), bool)
    stack[0, :, :6] = True
    stack[1, :, 4:] = True  # overlaps the first
    found = drawn((60, 120), stack, thickness=2, casing=0)
    assert found[30].nonzero()[0].tolist() == [39, 40, 59, 60]


def test_contours_between_known_labels_only():
    labels = np.zeros((4, 9), np.uint8)
    labels[:, 3:6], labels[:, 6:] = 255, 1
    labels[3, :3] = 5
    found = drawn((40, 90), labels, thickness=2, casing=0, ignore_index=255)
    assert found[:28].sum() == 0
    assert found[29:31, :29].all()


@pytest.mark.parametrize('size', [(30, 45), (100, 150), (61, 91), (7, 10)])
def test_lines_cover_the_same_share_at_any_size(size):
    """Also where the picture is smaller than the image: a line does not vanish."""
    labels = np.zeros((60, 90), np.uint8)
    labels[:, 45:] = 1
    picture = blank(*size)
    draw_contours(picture, labels, (0, 0, 0), thickness=2, casing=0)
    cover = 1 - picture[size[0] // 2].mean(-1) / 255
    assert cover.sum() == pytest.approx(2, abs=0.7)
    assert cover.argmax() in (size[1] // 2 - 1, size[1] // 2)


def test_filled_pixels_are_exact_where_enlarged():
    where = np.random.default_rng(0).random((6, 9)) < 0.4
    picture = blank(24, 36)
    fill(picture, where, RED)
    large = np.kron(where, np.ones((4, 4), bool))
    assert np.array_equal((picture == RED).all(-1), large)
    assert (picture[~large] == 255).all()


def test_filled_pixels_of_a_smaller_picture_keep_their_share():
    where = np.zeros((60, 90), bool)
    where[::2] = True
    picture = blank(30, 45)
    fill(picture, where, (0, 0, 0), 0.5)
    assert np.abs(picture.astype(int) - round(255 * 0.75)).max() <= 1


def test_text_is_where_it_is_told_to_be():
    picture = blank(40, 200)
    end = write(picture, 'before', (20, 15), 14)
    ink = np.argwhere((picture != 255).any(-1))
    assert 18 <= ink[:, 1].min() <= 24
    assert end - 4 <= ink[:, 1].max() < end + 1
    assert 6 <= ink[:, 0].min() < ink[:, 0].max() <= 24


@pytest.mark.parametrize('place', [(-30, 5), (190, 39), (500, 10), (10, 500), (10, -40)])
def test_text_that_leaves_the_picture_is_cut(place):
    picture = blank(40, 200)
    write(picture, 'before', place, ground=(0, 0, 0))
    assert picture.shape == (40, 200, 3)


def test_box_has_a_white_line_on_any_ground():
    for ground in (0, 255):
        picture = np.full((40, 60, 3), ground, np.uint8)
        draw_box(picture, (10, 10, 50, 30))
        assert (picture[20, 10] == WHITE).all()
        assert (picture[20, [9, 11]] == INK).all()


def test_resizing_keeps_flat_areas():
    image = np.full((7, 11, 3), 93, np.uint8)
    for size in ((14, 22), (3, 5), (7, 11)):
        assert resized(image, size).shape == (*size, 3)
        assert (resized(image, size) == 93).all()


def test_colours_that_are_seen_together_differ_in_lightness_or_hue():
    assert bgr('#E69F00') == (0, 159, 230)
    lab = {
        name: cv2.cvtColor(np.uint8([[colour]]), cv2.COLOR_BGR2LAB)[0, 0].astype(int)
        for name, colour in dict(
            coarse=COARSE, refined=REFINED, fixed=FIXED, broken=BROKEN, other=OTHER
        ).items()
    }
    for first, second in (
        ('coarse', 'refined'),
        ('fixed', 'broken'),
        ('fixed', 'other'),
        ('broken', 'other'),
    ):
        assert np.linalg.norm(lab[first] - lab[second]) > 40, (first, second)
