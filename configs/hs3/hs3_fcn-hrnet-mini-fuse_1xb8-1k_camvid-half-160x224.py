# HS3-Fuse; benchmarks/hs3_camvid.py puts the clusters that it derives in place of these.
_base_ = [
    './hs3_fcn-hrnet-mini-clusters_1xb8-1k_camvid-half-160x224.py',
    '../_base_/models/hs3_fuse-head.py',
]
last = _base_.model.decode_head
stages = [
    dict(in_index=head.in_index, in_channels=head.in_channels, **_base_.clusters)
    for head in _base_.model.auxiliary_head
]
stages += [dict(in_index=last.in_index, in_channels=last.in_channels)]
fuse_head = dict(
    _base_.fuse_head, stages=stages, num_classes=last.num_classes, channels=128, key_channels=64
)
model = dict(decode_head=dict(fuse_head, norm_cfg=_base_.norm_cfg), auxiliary_head=None)
