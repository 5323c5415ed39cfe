# BPR on FFNet-40S-BCC, made for mobile devices.
_base_ = './bpr_hrnet-w18s.py'
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    backbone=dict(
        _delete_=True, type='mmrefine.FFNetResNet', arch='40S', in_channels=4, norm_cfg=norm_cfg
    ),
    neck=dict(
        type='mmrefine.FFNetUp',
        in_channels=[64, 128, 192, 320],
        kind='C',
        upsampling='nearest',
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(
        _delete_=True,
        type='mmrefine.FFNetHead',
        in_channels=[128, 16, 16, 16],
        kind='C',
        upsampling='nearest',
        num_classes=2,
        norm_cfg=norm_cfg,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
    ),
)
