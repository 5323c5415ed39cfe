"""Necks that mmseg does not have."""

from .ffnet_up import FFNetUp

__all__ = ['FFNetUp']
