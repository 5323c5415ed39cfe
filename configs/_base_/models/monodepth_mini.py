# A small Monodepth2 without pretrained weights, for experiments on a CPU.
norm_cfg = dict(type='BN', requires_grad=True)
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
        stem_channels=16,
        base_channels=16,
        norm_cfg=norm_cfg,
        norm_eval=False,
    ),
    decode_head=dict(
        type='mmrefine.DisparityHead',
        in_channels=[16, 16, 32, 64, 128],
        channels=[16, 16, 32, 32, 64],
        num_scales=1,
        min_depth=0.1,
        max_depth=100.0,
    ),
    pose_net=dict(
        type='mmrefine.PoseNet',
        backbone=dict(
            type='mmseg.ResNet',
            depth=18,
            in_channels=6,
            stem_channels=8,
            base_channels=8,
            norm_cfg=norm_cfg,
            norm_eval=False,
        ),
        in_channels=64,
        channels=32,
    ),
    loss_synthesis=dict(
        type='mmrefine.ViewSynthesisLoss', ssim_weight=0.85, smoothness_weight=1e-3
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
