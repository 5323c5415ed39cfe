"""mmdet's models with parts of ours, where mmdet and the compiled ops of mmcv are installed."""

from importlib.util import find_spec

__all__: list[str] = []

if find_spec('mmdet') and find_spec('mmcv._ext'):
    from .pisr_detectors import PISRMaskFormer, PISRPanopticFPN

    __all__ += ['PISRMaskFormer', 'PISRPanopticFPN']
