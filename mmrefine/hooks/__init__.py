"""Hooks for mmengine runners."""

from .online_adaptation_hook import OnlineAdaptationHook
from .refinement_hook import RefinementHook

__all__ = ['OnlineAdaptationHook', 'RefinementHook']
