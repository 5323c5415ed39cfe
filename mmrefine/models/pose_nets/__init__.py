"""Networks that tell how the camera moved."""

from .pose_net import PoseNet

__all__ = ['PoseNet']
