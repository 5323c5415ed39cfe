# SegFix as released: HRNet-2x-W20, all five scales, m = 8, boundary within 5 px.
norm_cfg = dict(type='SyncBN', requires_grad=True)
data_preprocessor = dict(
    type='mmseg.SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
)
model = dict(
    type='mmrefine.SegFix',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmrefine.HRNet2x',
        norm_cfg=norm_cfg,
        extra=dict(
            stage1=dict(
                num_modules=1,
                num_branches=2,
                block='BOTTLENECK',
                num_blocks=(4, 4),
                num_channels=(32, 64),
            ),
            stage2=dict(
                num_modules=1,
                num_branches=3,
                block='BASIC',
                num_blocks=(4, 4, 4),
                num_channels=(20, 40, 80),
            ),
            stage3=dict(
                num_modules=4,
                num_branches=4,
                block='BASIC',
                num_blocks=(4, 4, 4, 4),
                num_channels=(20, 40, 80, 160),
            ),
            stage4=dict(
                num_modules=3,
                num_branches=5,
                block='BASIC',
                num_blocks=(4, 4, 4, 4, 4),
                num_channels=(20, 40, 80, 160, 320),
            ),
        ),
    ),
    decode_head=dict(
        type='mmrefine.SegFixHead',
        in_channels=[20, 40, 80, 160, 320],
        in_index=[0, 1, 2, 3, 4],
        channels=256,
        num_directions=8,
        norm_cfg=norm_cfg,
        loss_boundary=dict(type='mmrefine.BalancedCrossEntropyLoss', loss_weight=1.0),
        loss_direction=dict(type='mmrefine.BalancedCrossEntropyLoss', loss_weight=1.0),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
