# Plain deep supervision: all classes on every stage. A probe for the clusters, too.
_base_ = './hs3_fcn-hrnet-mini-none_1xb8-1k_camvid-half-160x224.py'
stage = dict(
    type='mmrefine.ClusterAuxHead',
    input_transform='resize_concat',
    label_map=list(range(11)),
    num_classes=11,
    norm_cfg=_base_.norm_cfg,
    align_corners=False,
)
model = dict(
    auxiliary_head=[
        dict(stage, in_index=(4, 5), in_channels=[16, 32], channels=48),
        dict(stage, in_index=(6, 7, 8), in_channels=[16, 32, 64], channels=112),
    ],
)
