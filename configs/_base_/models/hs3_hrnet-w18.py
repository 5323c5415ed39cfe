# FCN-HRNet-W18 whose stages 2 and 3 are supervised, with all classes: a probe for HS3.
_base_ = './fcn_hrnet-w18.py'
norm_cfg = dict(type='SyncBN', requires_grad=True)
stage = dict(
    type='mmrefine.ClusterAuxHead',
    input_transform='resize_concat',
    label_map=list(range(19)),
    num_classes=19,
    norm_cfg=norm_cfg,
    align_corners=False,
)
model = dict(
    backbone=dict(type='mmrefine.HRNet', early_stages=True),
    auxiliary_head=[
        dict(stage, in_index=(4, 5), in_channels=[18, 36], channels=54),
        dict(stage, in_index=(6, 7, 8), in_channels=[18, 36, 72], channels=126),
    ],
)
