# PSPNet with ResNet-101 whose stages C3 and C4 are supervised, with all classes: a probe for HS3.
_base_ = './pspnet_r50.py'
norm_cfg = dict(type='SyncBN', requires_grad=True)
stage = dict(
    type='mmrefine.ClusterAuxHead',
    channels=256,
    num_convs=1,
    label_map=list(range(19)),
    num_classes=19,
    norm_cfg=norm_cfg,
    align_corners=False,
)
model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://resnet101_v1c'),
    ),
    auxiliary_head=[
        dict(stage, in_index=1, in_channels=512),
        dict(stage, in_index=2, in_channels=1024),
    ],
)
