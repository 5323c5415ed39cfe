# SegFix on mmseg's HRNet-W32 (finest features at stride 4).
_base_ = './segfix_hrnet-w18.py'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w32'),
        extra=dict(
            stage2=dict(num_channels=(32, 64)),
            stage3=dict(num_channels=(32, 64, 128)),
            stage4=dict(num_channels=(32, 64, 128, 256)),
        ),
    ),
    decode_head=dict(in_channels=[32, 64, 128, 256]),
)
