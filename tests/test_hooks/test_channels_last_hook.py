"""Weights are laid out with channels last before training, and train as before."""

import torch
from torch import nn

from mmrefine.hooks import ChannelsLastHook


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)


def test_weights_have_channels_last_and_the_same_values():
    runner = type('Run', (), {'model': Net()})()
    before = {k: v.clone() for k, v in runner.model.state_dict().items()}
    ChannelsLastHook().before_train(runner)
    assert runner.model.conv.weight.is_contiguous(memory_format=torch.channels_last)
    features = runner.model.conv(torch.rand(2, 3, 20, 24))
    assert features.is_contiguous(memory_format=torch.channels_last)
    for name, value in runner.model.state_dict().items():
        assert torch.equal(value, before[name])
