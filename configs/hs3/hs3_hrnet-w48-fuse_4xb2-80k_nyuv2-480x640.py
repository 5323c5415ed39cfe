# The decode head fuses what the stages know of their clusters.
_base_ = './hs3_hrnet-w48_4xb2-80k_nyuv2-480x640.py'
clusters = _base_.clusters
stages = [
    dict(in_index=(4, 5), in_channels=[48, 96], **clusters),
    dict(in_index=(6, 7, 8), in_channels=[48, 96, 192], **clusters),
    dict(in_index=(0, 1, 2, 3), in_channels=[48, 96, 192, 384]),
]
model = dict(
    decode_head=dict(
        _delete_=True,
        type='mmrefine.HS3FuseHead',
        stages=stages,
        channels=512,
        key_channels=256,
        num_classes=40,
        norm_cfg=_base_.norm_cfg,
        align_corners=False,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
    ),
    auxiliary_head=None,
)
