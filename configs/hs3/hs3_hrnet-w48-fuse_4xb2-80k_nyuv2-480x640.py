# The decode head fuses what the stages know of their clusters.
_base_ = ['./hs3_hrnet-w48_4xb2-80k_nyuv2-480x640.py', '../_base_/models/hs3_fuse-head.py']
last = _base_.model.decode_head
stages = [
    dict(in_index=head.in_index, in_channels=head.in_channels, **_base_.clusters)
    for head in _base_.model.auxiliary_head
]
stages += [dict(in_index=last.in_index, in_channels=last.in_channels)]
fuse_head = dict(_base_.fuse_head, stages=stages, num_classes=last.num_classes)
model = dict(decode_head=dict(fuse_head, norm_cfg=_base_.norm_cfg), auxiliary_head=None)
