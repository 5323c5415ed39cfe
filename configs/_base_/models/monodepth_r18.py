# Monodepth2 as published: ResNet-18 with its stem's features, a second one for the motion.
model = dict(
    type='mmrefine.SelfSupervisedDepth',
    data_preprocessor=dict(
        type='mmrefine.FrameDataPreProcessor',
        mean=[114.75, 114.75, 114.75],
        std=[57.375, 57.375, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='mmrefine.StemResNet',
        depth=18,
        stem_channels=64,
        base_channels=64,
        norm_eval=False,
        init_cfg=dict(type='Pretrained', checkpoint='mmcls://resnet18'),
    ),
    decode_head=dict(
        type='mmrefine.DisparityHead',
        in_channels=[64, 64, 128, 256, 512],
        channels=[16, 32, 64, 128, 256],
        num_scales=4,
        min_depth=0.1,
        max_depth=100.0,
    ),
    pose_net=dict(
        type='mmrefine.PoseNet',
        backbone=dict(
            type='mmseg.ResNet',
            depth=18,
            in_channels=6,
            stem_channels=64,
            base_channels=64,
            norm_eval=False,
            init_cfg=dict(type='Pretrained', checkpoint='mmcls://resnet18'),
        ),
        in_channels=512,
        channels=256,
    ),
    loss_synthesis=dict(
        type='mmrefine.ViewSynthesisLoss', ssim_weight=0.85, smoothness_weight=1e-3
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
