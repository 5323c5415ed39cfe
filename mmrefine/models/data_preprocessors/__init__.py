"""Data preprocessors."""

from .patch_data_preprocessor import PatchDataPreProcessor

__all__ = ['PatchDataPreProcessor']
