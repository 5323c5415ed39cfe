# BPR with an encoder that knows ImageNet, for CPUs: 0.8 M parameters, nothing at full resolution.
# Beside image and mask, it is told how much a pixel looks like the object or the background: nearby
# (contrast_radii), and in the whole object (with_odds).
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    type='mmrefine.PatchRefiner',
    data_preprocessor=dict(
        type='mmrefine.PatchDataPreProcessor',
        mean=[127.0, 127.0, 127.0],
        std=[128.0, 128.0, 128.0],
        bgr_to_rgb=True,
        contrast_radii=(8, 20),
        with_odds=True,
    ),
    backbone=dict(type='mmrefine.PatchEfficientNet', in_channels=7, fine_channels=16),
    decode_head=dict(
        type='mmrefine.PatchHead',
        in_channels=(16, 16, 24, 40, 112),
        channels=(32, 32, 48),
        norm_cfg=norm_cfg,
        align_corners=False,
    ),
    train_cfg=dict(),
    # leave_alone: how much a change is believed (mmrefine/refiners/leave_alone.py).
    test_cfg=dict(
        mode='whole',
        patch_size=64,
        padding=0,
        input_size=64,
        iou_threshold=0.4,
        leave_alone=dict(change=1.0, here=0.0, whole=0.5, bias=-0.15),
    ),
)
