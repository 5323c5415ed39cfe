"""Data preprocessors."""

from .frame_data_preprocessor import FrameDataPreProcessor
from .patch_data_preprocessor import PatchDataPreProcessor

__all__ = ['FrameDataPreProcessor', 'PatchDataPreProcessor']
