"""Child registries of mmengine's roots, scope ``mmrefine``.

``type='mmrefine.X'`` in any config makes mmengine import this module and the
``locations`` named here, so users need no ``custom_imports``. A new method
plugs in by registering its parts with one of these registries from a module
that the location's ``__init__`` imports.
"""

# ruff: noqa: E402 - the check comes before the imports it is about.
import warnings

from .frameworks import REQUIRED_MODULES, require

require(*REQUIRED_MODULES)

# It warns on import where mmcv has no compiled ops, of which this package needs none.
with warnings.catch_warnings():
    warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')
    import mmcv.cnn  # noqa: F401

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry

MODELS = Registry('model', parent=MMENGINE_MODELS, scope='mmrefine', locations=['mmrefine.models'])
DATASETS = Registry(
    'dataset', parent=MMENGINE_DATASETS, scope='mmrefine', locations=['mmrefine.datasets']
)
DATA_SAMPLERS = Registry(
    'data sampler', parent=MMENGINE_DATA_SAMPLERS, scope='mmrefine', locations=['mmrefine.datasets']
)
TRANSFORMS = Registry(
    'transform',
    parent=MMENGINE_TRANSFORMS,
    scope='mmrefine',
    locations=['mmrefine.datasets.transforms'],
)
METRICS = Registry(
    'metric', parent=MMENGINE_METRICS, scope='mmrefine', locations=['mmrefine.evaluation']
)
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='mmrefine', locations=['mmrefine.hooks'])
OPTIM_WRAPPERS = Registry(
    'optimizer wrapper',
    parent=MMENGINE_OPTIM_WRAPPERS,
    scope='mmrefine',
    locations=['mmrefine.hooks'],
)
# Refiners are neither models nor hooks: they hold a network and know how to use it on masks.
REFINERS = Registry(
    'refiner', parent=MMENGINE_TASK_UTILS, scope='mmrefine', locations=['mmrefine.refiners']
)
