"""Pictures of targets say what the targets are."""

import itertools

import cv2
import numpy as np
import pytest

from mmrefine.pictures.directions import (
    LEGEND_WIDTH,
    PALETTE_RGB,
    direction_colours,
    draw_legend,
    draw_predicted_directions,
    draw_targets,
)

# How linear RGB looks to people without one kind of cone (Machado et al. 2009, severity 1).
DEFICIENCIES = {
    'protanopia': [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    'deuteranopia': [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    'tritanopia': [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize('deficiency', DEFICIENCIES)
def test_neighbours_and_opposites_look_different_to_everyone(deficiency):
    rgb = np.array(PALETTE_RGB) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(DEFICIENCIES[deficiency]), 0, 1)
    seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = cv2.cvtColor(seen[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    for first, second in itertools.combinations(range(8), 2):
        far = np.linalg.norm(lab[first] - lab[second])
        assert far > (24 if second - first in (1, 4, 7) else 15), (first, second)


def test_eight_directions_have_eight_colours():
    assert len(np.unique(direction_colours(8), axis=0)) == 8
    assert len(np.unique(direction_colours(4), axis=0)) == 4
    assert direction_colours(32).shape == (32, 3)
    # Direction 4 of 8 points right, as do 8 of 16 and 16 of 32.
    right = direction_colours(8)[4]
    assert (direction_colours(16)[8] == right).all()
    assert (direction_colours(32)[16] == right).all()


def test_band_is_coloured_and_the_rest_is_the_grey_image():
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    labels = np.zeros((40, 60), np.uint8)
    labels[:, 30:] = 1
    picture = draw_targets(image, labels, width=5, zoom=1)[:40, :60].astype(int)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None].repeat(3, 2).astype(int)
    assert np.array_equal(picture[:, :18], grey[:, :18])
    assert np.array_equal(picture[:, 42:], grey[:, 42:])
    colours = direction_colours(8).astype(int)
    for columns, direction in ((slice(25, 30), 0), (slice(30, 35), 4)):
        expected = (0.35 * grey[:, columns] + 0.65 * colours[direction]).astype(int)
        same = (np.abs(picture[:, columns] - expected) <= 1).all(-1)
        assert same.mean() > 0.6, 'all but the arrows'


def test_arrows_point_into_the_interior():
    """In a white image, the dark pixels of an arrow are more numerous at its tip."""
    image = np.full((39, 60, 3), 255, np.uint8)
    labels = np.zeros((39, 60), np.uint8)
    labels[20:] = 1
    picture = draw_targets(image, labels, width=3, zoom=13)[:, : 60 * 13]
    ink = (picture.max(-1) < 60).reshape(39, 13, -1).sum((1, 2))
    row = np.arange(39)
    assert ink[(row < 17) | (row > 22)].sum() < 0.2 * ink.sum()
    up = (picture[17 * 13 : 20 * 13].max(-1) < 60).reshape(3, 13, -1).sum(2).mean(0)
    down = (picture[20 * 13 : 23 * 13].max(-1) < 60).reshape(3, 13, -1).sum(2).mean(0)
    assert up[:6].sum() > 1.2 * up[7:].sum()
    assert down[7:].sum() > 1.2 * down[:6].sum()


def test_ignored_pixels_are_hatched():
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    labels = np.full((40, 60), 255, np.uint8)
    picture = draw_targets(image, labels, zoom=2)[:80, :120]
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 2


@pytest.mark.parametrize('labels', [np.zeros((9, 40)), np.full((9, 40), 300)])
def test_one_label_has_no_band(labels):
    image = np.random.default_rng(0).integers(0, 256, (9, 40, 3), dtype=np.uint8)
    picture = draw_targets(image, labels.astype(np.int32), zoom=3)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None].repeat(3, 2)
    assert np.array_equal(picture[:27, :120], grey.repeat(3, 0).repeat(3, 1))
    assert picture.shape == (draw_legend(8, '').shape[0], 120 + LEGEND_WIDTH, 3)


def test_wrong_arguments_are_refused():
    image = np.zeros((9, 40, 3), np.uint8)
    labels = np.zeros((9, 40), np.uint8)
    with pytest.raises(ValueError, match=r'expected the size of the image, 9x40 .* got 9x39'):
        draw_targets(image, labels[:, 1:])
    with pytest.raises(ValueError, match='zoom: expected 1 or more, got 0'):
        draw_targets(image, labels, zoom=0)
    with pytest.raises(ValueError, match='num_directions'):
        draw_targets(image, labels, num_directions=19)


def test_predicted_directions_are_drawn_where_the_boundary_is():
    image = np.full((30, 50, 3), 128, np.uint8)
    fields = {
        'pred_boundary': np.zeros((1, 30, 50), np.float32),
        'pred_direction': np.full((1, 30, 50), 4, np.uint8),
        'pred_offset': np.zeros((2, 30, 50), np.int8),
    }
    fields['pred_boundary'][0, :, 20:30] = 0.6
    fields['pred_boundary'][0, :, 40:] = 0.4
    picture = draw_predicted_directions(image, fields, zoom=1)[:30, :50].astype(int)
    assert (np.delete(picture, slice(20, 30), axis=1) == 128).all()
    colour = 0.65 * direction_colours(8)[4] + 0.35 * 128
    assert (np.abs(picture[:, 20:30] - colour).max(-1) <= 1).mean() > 0.6, 'all but the arrows'
    with pytest.raises(ValueError, match=r'boundary: expected the size of the image, \(30, 49\)'):
        draw_predicted_directions(image[:, 1:], fields)
