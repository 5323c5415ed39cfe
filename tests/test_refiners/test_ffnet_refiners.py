"""SegFix and BPR on FFNet, as their configs build them, are exported and give the same numbers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from small_segfix import make_lively

from mmrefine.models.checkpoint import build_without_weights
from mmrefine.refiners.export import OnnxPredictor, onnx_bytes

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
CONFIGS = Path(__file__).parents[2] / 'configs'


def plain_norms(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: 'BN' if v == 'SyncBN' else plain_norms(v) for k, v in value.items()}
    return value


@pytest.mark.parametrize(
    ('name', 'channels'),
    [
        ('segfix/segfix_ffnet-40s_4xb4-80k_cityscapes-512x512.py', 3),
        ('bpr/bpr_ffnet-40s_4xb8-160k_cityscapes-64to128.py', 4),
    ],
)
def test_onnx_equals_torch(name, channels):
    config = plain_norms(Config.fromfile(CONFIGS / name).model.to_dict())
    config['backbone']['blocks'] = (1, 1, 1, 1)
    model = make_lively(build_without_weights(config, 'config')).eval()
    found = OnnxPredictor(onnx_bytes(model))
    for number, height, width in ((1, 64, 96), (2, 37, 50)):
        inputs = torch.randn(
            number, channels, height, width, generator=torch.Generator().manual_seed(height)
        )
        with torch.no_grad():
            expected = model.predict_probabilities(inputs)
        assert expected.shape[-2:] == (height, width)
        assert expected.std() > 1e-3
        torch.testing.assert_close(found(inputs), expected, atol=1e-4, rtol=0)
