# mmseg's FCN-HRNet-W18.
_base_ = './fcn_hrnet-mini.py'
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    backbone=dict(
        norm_cfg=norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18'),
        extra=dict(
            stage1=dict(num_blocks=(4,), num_channels=(64,)),
            stage2=dict(num_blocks=(4, 4), num_channels=(18, 36)),
            stage3=dict(num_modules=4, num_blocks=(4, 4, 4), num_channels=(18, 36, 72)),
            stage4=dict(num_modules=3, num_blocks=(4, 4, 4, 4), num_channels=(18, 36, 72, 144)),
        ),
    ),
    decode_head=dict(
        in_channels=[18, 36, 72, 144], channels=270, num_classes=19, norm_cfg=norm_cfg
    ),
)
