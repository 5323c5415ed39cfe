"""Hooks for mmengine runners."""

from .channels_last_hook import ChannelsLastHook
from .online_adaptation_hook import OnlineAdaptationHook
from .refinement_hook import RefinementHook

__all__ = ['ChannelsLastHook', 'OnlineAdaptationHook', 'RefinementHook']
