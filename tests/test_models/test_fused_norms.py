"""Networks without batch norms say the same, or keep them."""

import torch
from small_bpr import small_bpr
from small_segfix import make_lively
from torch import nn

from mmrefine.models.fused_norms import with_fused_norms


def norms(network):
    return sum(isinstance(part, nn.BatchNorm2d) for part in network.modules())


def test_the_same_answers_without_norms():
    network = make_lively(small_bpr())
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fused = with_fused_norms(network)
    assert norms(network)
    assert norms(fused) == 0
    inputs = torch.randn(3, 4, 32, 48)
    with torch.inference_mode():
        expected, found = (part.predict_probabilities(inputs) for part in (network, fused))
    assert expected.std() > 0.01
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]), 'the network itself is left alone'


class Swapped(nn.Module):
    """Registers the norm of its input after its convolution."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.data_preprocessor = nn.Identity()

    def predict_probabilities(self, inputs):
        return self.conv(self.norm(inputs)).sigmoid()


def test_a_network_that_is_written_otherwise_keeps_its_norms():
    network = Swapped().eval()
    network.norm.running_mean.data = torch.tensor([1.0, -2, 3])
    assert with_fused_norms(network) is network
