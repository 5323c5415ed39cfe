# FCN-HRNet-W16-small, the HRNet-16-Slim of the released InverseForm without its learned 2×2
# shrinking of the image. There are no weights for it to start from.
_base_ = './fcn_hrnet-w18s.py'
model = dict(
    backbone=dict(
        init_cfg=None,
        extra=dict(
            stage2=dict(num_channels=(16, 32)),
            stage3=dict(num_channels=(16, 32, 64)),
            stage4=dict(num_channels=(16, 32, 64, 128)),
        ),
    ),
    decode_head=dict(in_channels=[16, 32, 64, 128], channels=240),
)
