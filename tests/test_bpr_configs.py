"""BPR's configs: data and refiner cut the same patches, networks are the published ones."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmrefine.registry import MODELS

FOLDER = Path(__file__).parent.parent / 'configs/bpr'
CONFIGS = sorted(path.stem for path in FOLDER.glob('*.py'))


def load(name):
    return Config.fromfile(FOLDER / f'{name}.py')


def parts(dataset):
    return dataset.get('datasets', [dataset])


def test_there_is_one_for_everything():
    names = ' '.join(CONFIGS)
    for wanted in (
        *('cityscapes-64to128', 'cityscapes-patches-64to128', 'coco-', 'lvis-', 'davis-'),
        *('own-data-', 'no-mask_4xb8', 'w48_4xb8-160k_cityscapes-64to256'),
        *(f'cityscapes-{patch}to128' for patch in (32, 64, 128)),
        *(f'cityscapes-{patch}pad16to128' for patch in (32, 64, 128)),
        *(f'cityscapes-64to{size}' for size in (64, 128, 256, 512)),
        *(f'nms-{t}_' for t in (0.15, 0.25, 0.35, 0.45, 0.65)),
    ):
        assert wanted in names, wanted


def input_sizes(data):
    """Every place that scales patches; mmseg's Resize would move masks against images."""
    assert not [t for t in data.get('pipeline', ()) if 'mmseg.Resize' in t['type']]
    on_disk = [t['size'] for t in data.get('pipeline', ()) if t['type'] == 'mmrefine.ResizePatch']
    return on_disk + ([data.input_size] if 'input_size' in data else [])


@pytest.mark.parametrize('name', CONFIGS)
def test_data_and_refiner_agree(name):
    cfg = load(name)
    cut = cfg.model.test_cfg
    loaders = (cfg.get(f'{part}_dataloader') for part in ('train', 'val', 'test'))
    for loader in filter(None, loaders):
        for data in parts(loader.dataset):
            assert input_sizes(data) == [cut.input_size]
            if data.type == 'mmrefine.BoundaryPatchDataset':
                sizes = data.patch_size if isinstance(data.patch_size, tuple) else [data.patch_size]
                assert cut.patch_size in sizes
                assert data.padding == cut.padding
    with_mask = cfg.model.data_preprocessor.get('with_mask', True)
    contrast = cfg.model.data_preprocessor.get('contrast_radii', ())
    odds = cfg.model.data_preprocessor.get('with_odds', False)
    assert cfg.model.backbone.in_channels == 3 + with_mask + len(contrast) + odds
    assert 0 < cut.iou_threshold < 1


@pytest.mark.parametrize('name', CONFIGS)
def test_patches_a_step_are_those_in_the_name(name):
    """``4xb8``: 8 patches on each of 4 GPUs."""
    cfg = load(name)
    patches = int(name.split('xb')[1].split('-')[0])
    images = cfg.train_dataloader.batch_size
    for data in parts(cfg.train_dataloader.dataset):
        assert images * data.get('patches_per_image', 1) == patches


def test_networks_have_the_published_sizes():
    """Parameters of HRNetV2-W18-small (v1) and W48 with an FCN head, and 576 for the mask."""
    for name, millions in (
        ('w18s_4xb8-160k_cityscapes-64to128', 3.9),
        ('w48_4xb8-160k_cityscapes-64to256', 65.8),
    ):
        cfg = load(f'bpr_hrnet-{name}').model
        cfg.backbone.init_cfg = None
        model = MODELS.build(cfg)
        assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)
