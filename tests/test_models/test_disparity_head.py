import pytest
import torch
from mmseg.models.backbones import ResNet

from mmrefine.models.backbones import StemResNet
from mmrefine.models.decode_heads import DisparityHead

CHANNELS = [4, 6, 8, 10, 12]


@pytest.mark.parametrize('size', [(64, 96), (37, 50), (33, 65)])
def test_scales_of_any_size(size):
    backbone = StemResNet(depth=18, stem_channels=4, base_channels=4)
    head = DisparityHead([4, 4, 8, 16, 32], [4, 4, 8, 8, 8])
    features = backbone(torch.rand(2, 3, *size))
    assert [f.shape[3] for f in features] == [-(-size[1] // s) for s in (2, 4, 8, 16, 32)]
    disparities = head(features)
    half = features[0].shape[2:]
    assert disparities[0].shape == (2, 1, 2 * half[0], 2 * half[1])
    assert [d.shape[2:] for d in disparities[1:]] == [f.shape[2:] for f in features[:3]]
    assert all(0 < d.min() <= d.max() < 1 for d in disparities)
    depth = head.predict(features, [dict(img_shape=size)], None)
    assert depth.shape == (2, 1, *size)
    assert 0.1 <= depth.min() <= depth.max() <= 100


def test_every_feature_and_every_parameter_counts():
    head = DisparityHead(CHANNELS, [4] * 5, num_scales=2)
    features = [torch.rand(1, c, 32 >> k, 48 >> k, requires_grad=True)
                for k, c in enumerate(CHANNELS)]  # fmt: skip
    sum(d.sum() for d in head(features)).backward()
    assert all(f.grad.abs().sum() > 0 for f in features)
    assert all(p.grad.abs().sum() > 0 for p in head.parameters())


def test_stem_comes_first_and_the_rest_is_mmsegs():
    torch.manual_seed(0)
    ours, theirs = (c(depth=18, stem_channels=8, base_channels=8) for c in (StemResNet, ResNet))
    theirs.load_state_dict(ours.state_dict())
    image = torch.rand(1, 3, 33, 50)
    ours.eval()  # mmseg's gives nothing back
    theirs.eval()
    stem, *rest = ours(image)
    assert stem.shape == (1, 8, 17, 25)
    for found, expected in zip(rest, theirs(image), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(channels=[4] * 4), 'channels: expected 5 numbers'),
        (dict(channels=[4] * 5, num_scales=6), 'num_scales must be from 1 to 5, got 6'),
        (dict(channels=[4] * 5, min_depth=0), '0 < min_depth < max_depth'),
    ],
)
def test_bad_options_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        DisparityHead(CHANNELS, **options)
