# The decode head fuses what the stages know of their clusters.
_base_ = './hs3_r101_4xb2-80k_nyuv2-480x640.py'
clusters = _base_.clusters
stages = [
    dict(in_index=1, in_channels=512, **clusters),
    dict(in_index=2, in_channels=1024, **clusters),
    dict(in_index=3, in_channels=2048),
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
