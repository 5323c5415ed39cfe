"""What mmseg and mmcv have to say to a user's own models is heard with mmrefine imported, too."""

import warnings

import pytest
import torch
from small_bpr import small_bpr
from small_segfix import small_segfix

from mmrefine.models.decode_heads import EdgeHead
from mmrefine.models.quiet import without_warning


def test_importing_mmrefine_leaves_the_warning_filters_as_they_were(run_fresh):
    """Every module, and none of the filters that other packages set on import is ours."""
    code = """
import importlib, pkgutil, warnings
import torch, mmengine, cv2, scipy, matplotlib
with warnings.catch_warnings():
    import mmcv.cnn, mmseg.models, mmseg.datasets
before = list(warnings.filters)
import mmrefine
for module in pkgutil.walk_packages(mmrefine.__path__, 'mmrefine.'):
    if '.mim' not in module.name and '__main__' not in module.name:
        importlib.import_module(module.name)
texts = ('align_corners', 'binary segmentation', 'avg_non_ignore', 'MultiScaleDeformable')
patterns = [f[1].pattern for f in warnings.filters if f not in before and f[1] is not None]
print([p for p in patterns if any(text in p for text in texts)])
"""
    done = run_fresh('-c', code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == '[]'


def test_advice_is_heard_for_the_models_of_others():
    from mmseg.models.decode_heads import FCNHead
    from mmseg.models.losses import CrossEntropyLoss
    from mmseg.models.utils import resize

    small_segfix(), small_bpr()
    with pytest.warns(UserWarning, match='For binary segmentation, we suggest'):
        FCNHead(in_channels=4, channels=4, num_classes=2, num_convs=1)
    with pytest.warns(UserWarning, match='avg_non_ignore'):
        CrossEntropyLoss()
    with pytest.warns(UserWarning, match='When align_corners=True'):
        resize(torch.zeros(1, 1, 4, 5), (9, 12), mode='bilinear', align_corners=True)


def test_networks_of_this_package_are_silent():
    """Built, trained for a step and asked, at sizes that are no n·x + 1."""
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        EdgeHead(in_channels=4, in_index=0, channels=4, num_convs=1, concat_input=False)
        bpr, segfix = small_bpr(), small_segfix()
        bpr.predict_probabilities(torch.zeros(1, 4, 32, 32))
        segfix.predict_probabilities(torch.zeros(1, 3, 48, 64))
        segfix.decode_head([torch.zeros(1, n, 20 // k, 28 // k) for n, k in FEATURES])


FEATURES = ((4, 1), (6, 1), (8, 2), (10, 4), (12, 4))


def test_only_the_named_warnings_are_dropped_and_only_there():
    def say(text):
        warnings.warn(text, stacklevel=1)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter('always')
        with without_warning('Known (a+b)'):
            say('Known (a+b) is')
            say('other')
        say('Known (a+b) is')
    assert [str(one.message) for one in heard] == ['other', 'Known (a+b) is']
