import pytest
import torch
import torch.nn.functional as F

from mmrefine.models.decode_heads import DepthToSegHead


def test_loss_is_the_cross_entropy_of_known_pixels():
    torch.manual_seed(0)
    head = DepthToSegHead(3, (4, 4), loss_weight=0.5).eval()
    disparity = torch.rand(2, 1, 7, 9)
    groups = torch.randint(3, (2, 7, 9))
    groups[0, :4] = 255
    expected = F.cross_entropy(head(disparity), groups, ignore_index=255)
    torch.testing.assert_close(head.loss(disparity, groups), 0.5 * expected)


def test_scale_of_the_scene_does_not_matter():
    head = DepthToSegHead(3).eval()
    disparity = torch.rand(2, 1, 7, 9) + 0.1
    torch.testing.assert_close(head(disparity), head(3 * disparity))


def test_nothing_to_learn_gives_zero_and_a_gradient_of_zero():
    head = DepthToSegHead(3)
    disparity = torch.rand(2, 1, 7, 9, requires_grad=True)
    loss = head.loss(disparity, torch.full((2, 7, 9), 255))
    loss.backward()
    assert loss == 0
    assert not disparity.grad.any()


def test_learns_what_depth_shows():
    """Near and far can be told apart; two groups of the same depth cannot."""
    torch.manual_seed(0)
    head = DepthToSegHead(2, (8, 8), loss_weight=1)
    near = torch.zeros(4, 12, 16, dtype=torch.int64)
    for k, labels in enumerate(near):
        labels[2 + k : 8, 3 : 9 + k] = 1
    disparity = 0.2 + 0.5 * near[:, None].float()
    noise = torch.randint(2, near.shape)
    for groups, low, high in ((near, 0, 0.3), (noise, 0.5, 1)):
        optimizer = torch.optim.Adam(head.parameters(), 0.02)
        for _ in range(60):
            loss = head.loss(disparity, groups)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert low <= loss < high


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(num_groups=1), 'num_groups must be at least 2, got 1'),
        (dict(num_groups=2, loss_weight=-1), 'loss_weight must be >= 0'),
    ],
)
def test_bad_options_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        DepthToSegHead(**options)


def test_groups_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r'groups must be from 0 to 2 .*, got \[0, 3\]'):
        DepthToSegHead(3).loss(torch.rand(1, 1, 2, 3), torch.tensor([[[0, 3, 255]] * 2]))
