# A small SegFix for a CPU or a small data set.
_base_ = './segfix_hrnet2x.py'
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    backbone=dict(
        stem_channels=32,
        norm_cfg=norm_cfg,
        extra=dict(
            stage1=dict(num_blocks=(1, 1), num_channels=(8, 16)),
            stage2=dict(num_blocks=(1, 2, 2), num_channels=(16, 32, 48)),
            stage3=dict(num_modules=1, num_blocks=(1, 2, 2, 2), num_channels=(16, 32, 48, 64)),
            stage4=dict(
                num_modules=1, num_blocks=(1, 2, 2, 2, 2), num_channels=(16, 32, 48, 64, 64)
            ),
        ),
    ),
    decode_head=dict(in_channels=[16, 32, 48, 64, 64], channels=32, norm_cfg=norm_cfg),
)
