# BPR with HRNet-W48, as released for an input of 256.
_base_ = './bpr_hrnet-w18s.py'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w48'),
        extra=dict(
            stage1=dict(num_blocks=(4,)),
            stage2=dict(num_blocks=(4, 4), num_channels=(48, 96)),
            stage3=dict(num_modules=4, num_blocks=(4, 4, 4), num_channels=(48, 96, 192)),
            stage4=dict(num_modules=3, num_blocks=(4, 4, 4, 4), num_channels=(48, 96, 192, 384)),
        ),
    ),
    decode_head=dict(in_channels=[48, 96, 192, 384], channels=720),
)
