# IFA with ResNet-50, output stride 32. The released stem is 64-64-128 wide; that of the weights
# which mmseg starts from, 32-32-64, is kept.
_base_ = './pspnet_r50.py'
norm_cfg = _base_.norm_cfg
sampler = dict(type='mmseg.OHEMPixelSampler', thresh=0.7, min_kept=100000)
model = dict(
    backbone=dict(
        dilations=(1, 1, 1, 1),
        strides=(1, 2, 2, 2),
        multi_grid=(2, 2, 4),
        contract_dilation=False,
    ),
    decode_head=dict(
        _delete_=True,
        type='mmrefine.IFAHead',
        in_channels=(256, 512, 1024, 2048),
        in_index=(0, 1, 2, 3),
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        sampler=sampler,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
    ),
    auxiliary_head=dict(sampler=sampler),
)
