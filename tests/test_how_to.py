"""Losses and heads in three lines, as the docs say, on stock configs with mmseg's own script."""

import pytest
from how_to import STOCK, train_documented_lines

pytestmark = pytest.mark.skipif(
    not STOCK.is_file(), reason='mmseg was installed without its configs'
)


@pytest.mark.quick
@pytest.mark.parametrize(
    ('page', 'marker', 'logged'),
    [
        ('semeda.md', 'how-to', ['decode.loss_semeda']),
        ('inverseform.md', 'how-to', ['decode.loss_inverseform']),
        ('inverseform.md', 'how-to-head', ['aux.loss_boundary', 'aux.loss_inverseform']),
    ],
)
def test_losses(page, marker, logged, tmp_path, run_fresh):
    figures, weights = train_documented_lines(page, marker, tmp_path, run_fresh)
    for name in [*logged, 'decode.loss_ce']:
        assert figures[name] > 0
    assert not [key for key in weights if 'loss' in key]


@pytest.mark.quick
def test_ifa(tmp_path, run_fresh):
    figures, weights = train_documented_lines('ifa.md', 'how-to', tmp_path, run_fresh)
    assert figures['decode.loss_ce'] > 0
    assert weights['decode_head.mlp.0.conv.weight'].shape[:2] == (512, 1128)
