"""Names in configs find their classes, with nothing imported beforehand."""

from pathlib import Path

# A config somebody else might have: mmseg's scope, its segmentor and backbone, one head of ours.
PLAIN_CONFIG = """
default_scope = 'mmseg'
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    backbone=dict(type='ResNetV1c', depth=18, base_channels=8, norm_cfg=norm_cfg),
    decode_head=dict(
        type='mmrefine.SegFixHead',
        in_channels=[8, 16],
        in_index=[0, 1],
        input_transform='resize_concat',
        channels=8,
        num_directions=8,
        norm_cfg=norm_cfg,
    ),
)
"""
BUILD = """
import sys
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
cfg = Config.fromfile(sys.argv[1])
assert 'custom_imports' not in cfg
assert 'mmrefine' not in sys.modules
init_default_scope(cfg.default_scope)
print(type(MODELS.build(cfg.model).decode_head))
"""
NAMES = {
    'MODELS': ['HRNet2x', 'SegFixHead', 'SegFix'],
    'TRANSFORMS': ['GenerateBoundaryDirection'],
    'HOOKS': ['RefinementHook'],
    'TASK_UTILS': ['SegFixRefiner'],
}
LOOK_UP = """
import sys
import mmengine.registry as roots
assert 'mmrefine' not in sys.modules
for argument in sys.argv[1:]:
    root, name = argument.split('.')
    found = getattr(roots, root).get(f'mmrefine.{name}')
    print(f'{root}.{name}' if found and found.__name__ == name else f'{root}.{name} is {found}')
"""


def test_plain_mmseg_config_finds_our_head(run_fresh, tmp_path: Path):
    config = tmp_path / 'config.py'
    config.write_text(PLAIN_CONFIG)
    result = run_fresh('-c', BUILD, str(config))
    assert "mmrefine.models.decode_heads.segfix_head.SegFixHead'>" in result.stdout, result.stderr


def test_design_names_are_found_from_the_roots(run_fresh):
    names = [f'{root}.{name}' for root, names in NAMES.items() for name in names]
    result = run_fresh('-c', LOOK_UP, *names)
    assert set(names) <= set(result.stdout.splitlines()), result.stdout + result.stderr
