"""What plugs into mmengine's runners: hooks, and an optimizer wrapper."""

from .bfloat16_optim_wrapper import BFloat16OptimWrapper
from .channels_last_hook import ChannelsLastHook
from .online_adaptation_hook import OnlineAdaptationHook
from .refinement_hook import RefinementHook

__all__ = ['BFloat16OptimWrapper', 'ChannelsLastHook', 'OnlineAdaptationHook', 'RefinementHook']
