# HS3-Fuse; benchmarks/hs3_camvid.py puts the clusters that it derives in place of these.
_base_ = './hs3_fcn-hrnet-mini-clusters_1xb8-1k_camvid-half-160x224.py'
clusters = _base_.clusters
stages = [
    dict(in_index=(4, 5), in_channels=[16, 32], **clusters),
    dict(in_index=(6, 7, 8), in_channels=[16, 32, 64], **clusters),
    dict(in_index=(0, 1, 2, 3), in_channels=[16, 32, 64, 128]),
]
model = dict(
    decode_head=dict(
        _delete_=True,
        type='mmrefine.HS3FuseHead',
        stages=stages,
        channels=128,
        key_channels=64,
        num_classes=11,
        norm_cfg=_base_.norm_cfg,
        align_corners=False,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
    ),
    auxiliary_head=None,
)
