# The same on HRNet-W48.
_base_ = './hs3_hrnet-w18.py'
stage = _base_.stage
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w48'),
        extra=dict(
            stage2=dict(num_channels=(48, 96)),
            stage3=dict(num_channels=(48, 96, 192)),
            stage4=dict(num_channels=(48, 96, 192, 384)),
        ),
    ),
    decode_head=dict(in_channels=[48, 96, 192, 384], channels=720),
    auxiliary_head=[
        dict(stage, in_index=(4, 5), in_channels=[48, 96], channels=144),
        dict(stage, in_index=(6, 7, 8), in_channels=[48, 96, 192], channels=336),
    ],
)
