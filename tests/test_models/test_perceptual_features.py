"""The frozen feature network."""

import numpy as np
import pytest
import torch

from mmrefine.measures import perceptual_consistency
from mmrefine.models import PerceptualFeatures

RESNET = dict(type='mmseg.ResNetV1c', depth=18, base_channels=8, norm_cfg=dict(type='BN'))


@pytest.fixture(scope='module')
def shipped():
    return PerceptualFeatures()


def test_stride_and_unit_length(shipped):
    image = np.random.default_rng(0).integers(0, 255, (50, 83, 3), dtype=np.uint8)
    features = shipped.of_image(image)
    assert features.shape == (40, 7, 11)
    assert features.dtype == torch.float32
    np.testing.assert_allclose(features.norm(dim=0), 1, atol=1e-5)
    rgb = torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)[None]
    torch.testing.assert_close(shipped(rgb)[0], features)


def test_stays_frozen_inside_a_model_that_trains(shipped):
    model = torch.nn.Sequential(shipped).train()
    assert not any(module.training for module in shipped.modules())
    assert not any(p.requires_grad for p in model.parameters())
    before = {k: v.clone() for k, v in shipped.state_dict().items()}
    images = torch.rand(2, 3, 32, 40, requires_grad=True) * 255
    assert not shipped(images).requires_grad
    assert all(torch.equal(v, before[k]) for k, v in shipped.state_dict().items())


def test_trained_weights_see_a_shift_by_whole_cells_as_the_same_scene(shipped):
    """With labels that are the scene's parts, where plain agreement of pixels falls."""
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 5, (14, 20))
    labels = np.kron(cells, np.ones((16, 16), int))
    image = np.kron(rng.integers(0, 255, (14, 20, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    frames = [(image[:, x : x + 256], labels[:, x : x + 256]) for x in (0, 16)]
    assert (frames[0][1] == frames[1][1]).mean() < 0.6
    # The overlap alone: its cells have exact partners but for the border's padding.
    features = [shipped.of_image(frame) for frame, _ in frames]
    overlap = (features[0][:, :, 2:], features[1][:, :, :-2])
    maps = (frames[0][1][:, 16:], frames[1][1][:, :-16])
    score = perceptual_consistency(overlap, maps).figures()['perceptual_consistency']
    assert score >= 0.95


def test_any_backbone_and_level():
    torch.manual_seed(0)
    network = PerceptualFeatures(RESNET, level=1)
    assert network.of_image(np.zeros((32, 48, 3), np.uint8)).shape == (16, 4, 6)
    with pytest.raises(ValueError, match='level: the backbone has 4 outputs, got 4'):
        PerceptualFeatures(RESNET, level=4).of_image(np.zeros((32, 48, 3), np.uint8))


def test_half_precision_of_the_model_around_it_does_not_reach_it(shipped):
    images = torch.rand(1, 3, 32, 40) * 255
    with torch.autocast('cpu', torch.bfloat16):
        inside = shipped(images)
    torch.testing.assert_close(inside, shipped(images))
