"""A small depth model and batches of drawn frames for it."""

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmrefine.ops.depth.draw_scene import camera_path, draw_scene, render_scene, scene_intrinsics
from mmrefine.registry import MODELS

SIZE = (40, 56)
OFFSETS = (0, -1, 1)


def depth_config(**options: object) -> dict:
    def resnet(kind: str, **more: object) -> dict:
        return dict(type=kind, depth=18, stem_channels=8, base_channels=8, **more)

    return dict(
        type='mmrefine.SelfSupervisedDepth',
        data_preprocessor=dict(type='mmrefine.FrameDataPreProcessor'),
        backbone=resnet('mmrefine.StemResNet'),
        decode_head=dict(
            type='mmrefine.DisparityHead',
            in_channels=[8, 8, 16, 32, 64],
            channels=[8, 8, 8, 16, 16],
            num_scales=2,
            min_depth=1.0,
            max_depth=50.0,
        ),
        pose_net=dict(
            type='mmrefine.PoseNet',
            backbone=resnet('mmseg.ResNet', in_channels=6),
            in_channels=64,
            channels=16,
        ),
        **options,
    )


def depth_model(**options: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return MODELS.build(depth_config(**options))


def depth_batch(count: int = 2, size: tuple[int, int] = SIZE) -> dict:
    """What a data loader gives: frames of drawn scenes, kinds of surfaces as labels."""
    inputs, samples = [], []
    for index in range(count):
        rng = np.random.default_rng(index)
        scene = draw_scene(rng)
        past, now, later = (render_scene(scene, pose, size) for pose in camera_path(3, rng))
        frames = np.concatenate([now[0], past[0], later[0]], 2)
        inputs.append(torch.from_numpy(frames).permute(2, 0, 1).contiguous())
        sample = SegDataSample(
            metainfo=dict(
                frame_offsets=OFFSETS,
                intrinsics=scene_intrinsics(size).astype(np.float32),
                ori_shape=size,
                img_shape=size,
            )
        )
        sample.gt_frames = PixelData(data=inputs[-1].clone())
        sample.gt_sem_seg = PixelData(data=torch.from_numpy(now[2].astype(np.int64))[None])
        sample.gt_depth_map = PixelData(data=torch.from_numpy(now[1])[None])
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)
