import pytest
import torch
from scipy.ndimage import center_of_mass

from mmrefine.ops.panoptic_encodings import (
    centre_heatmaps,
    centre_targets,
    class_encodings,
    instance_encodings,
    top_centres,
    weighted_attention,
)

GENERATOR = torch.Generator().manual_seed(0)


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


def test_a_certain_class_is_the_mean_of_its_pixels():
    features = draw(2, 5, 6, 9)
    logits = torch.full((2, 2, 6, 9), -1e4, dtype=torch.float64)
    logits[:, 0, :2], logits[:, 1, 2:] = 0, 0
    found = class_encodings(features, logits)
    torch.testing.assert_close(found[:, 0], features[:, :, :2].mean((2, 3)))
    torch.testing.assert_close(found[:, 1], features[:, :, 2:].mean((2, 3)))


def test_instances_are_means_and_absent_ones_are_zero():
    features, heat = draw(2, 5, 6, 9), draw(2, 3, 6, 9).abs()
    heat[1, 2] = 0
    found, confidence = instance_encodings(features, heat)
    expected = (features[0] * heat[0, 1]).sum((1, 2)) / heat[0, 1].sum()
    torch.testing.assert_close(found[0, 1], expected)
    torch.testing.assert_close(confidence[0], heat[0].amax((1, 2)))
    assert not found[1, 2].any()
    assert confidence[1, 2] == 0
    found, confidence = instance_encodings(features, heat[:, :0])
    assert found.shape == (2, 0, 5)
    assert confidence.shape == (2, 0)


def test_weight_is_how_often_a_key_counts():
    query, key, value = draw(2, 4, 6), draw(2, 3, 6), draw(2, 3, 5)
    once = weighted_attention(query, key, value, torch.ones(2, 3).double())
    expected = (query @ key.transpose(1, 2) / 6**0.5).softmax(2) @ value
    torch.testing.assert_close(once, expected)
    thrice = weighted_attention(query, key, value, torch.tensor([[1.0, 3, 0]] * 2).double())
    several = torch.cat([key[:, :1], *[key[:, 1:2]] * 3], 1)
    values = torch.cat([value[:, :1], *[value[:, 1:2]] * 3], 1)
    plain = weighted_attention(query, several, values, torch.ones(2, 4).double())
    torch.testing.assert_close(thrice, plain)


def test_weight_has_a_gradient_and_absence_no_nan():
    weight = torch.tensor([[1, 0.5, 0]], dtype=torch.float64, requires_grad=True)
    found = weighted_attention(draw(1, 4, 6), draw(1, 3, 6), draw(1, 3, 6), weight)
    found.square().sum().backward()
    assert weight.grad.isfinite().all()
    assert weight.grad[0, 1] != 0


def test_centres_are_the_greatest_maxima():
    heat = torch.zeros(1, 1, 5, 8)
    heat[0, 0, 1, 2], heat[0, 0, 1, 3], heat[0, 0, 4, 7] = 0.9, 0.8, 0.5
    centres, scores = top_centres(heat, 3)
    assert centres[0, :2].tolist() == [[1, 2], [4, 7]]
    torch.testing.assert_close(scores[0], torch.tensor([0.9, 0.5, 0]))
    assert top_centres(heat, 100)[0].shape == (1, 40, 2)
    assert top_centres(heat, 0)[0].shape == (1, 0, 2)


def test_true_centres_and_offsets_give_the_masks_back():
    masks = torch.zeros(3, 9, 14, dtype=torch.bool)
    masks[0, 1:5, 2:6] = masks[1, 3:9, 8:14] = True  # and an empty one
    heat, offsets, inside = centre_targets(masks, 1.0)
    assert torch.equal(inside, masks.any(0))
    for mask in masks[:2]:
        y, x = center_of_mass(mask.numpy())
        assert heat[0, round(y), round(x)] == 1
        rows, columns = torch.where(mask)
        torch.testing.assert_close(
            offsets[:, mask], torch.stack([y - rows.float(), x - columns.float()])
        )
    assert not offsets[:, ~inside].any()
    centres, scores = top_centres(heat[None], 2)
    maps = centre_heatmaps(centres, scores, offsets[None], inside[None, None].float(), 1.0)
    found = {tuple(m.flatten().tolist()) for m in maps[0] > 0.5}
    assert found == {tuple(m.flatten().tolist()) for m in masks[:2]}
    stuff = centre_heatmaps(centres, scores, offsets[None], torch.zeros(1, 1, 9, 14), 1.0)
    assert not stuff.any()


def test_no_instances_give_empty_targets():
    heat, offsets, inside = centre_targets(torch.zeros(0, 4, 6, dtype=torch.bool), 1.0)
    assert not heat.any()
    assert offsets.shape == (2, 4, 6)
    assert inside.shape == (4, 6)
    assert not inside.any()


@pytest.mark.parametrize('overlapping', [(0, 1), (1, 0)])
def test_the_later_mask_is_in_front(overlapping):
    masks = torch.zeros(2, 4, 6, dtype=torch.bool)
    masks[0, :, :4] = masks[1, :, 3:] = True
    masks = masks[list(overlapping)]
    _, offsets, _ = centre_targets(masks, 1.0)
    x = 1.5 if overlapping[1] == 0 else 4
    torch.testing.assert_close(offsets[1, 0, 3], torch.tensor(x - 3.0))
