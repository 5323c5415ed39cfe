# Mask2Former whose masks are read off related pixel features; as mmdet's own config otherwise.
_base_ = 'mmdet::mask2former/mask2former_r50_8xb2-lsj-50e_coco-panoptic.py'
model = dict(
    type='mmrefine.PISRMaskFormer',
    relations=dict(
        type='mmrefine.PISRNeck',
        in_channels=256,
        num_things_classes=80,
        num_stuff_classes=53,
        level=0,
        related_levels=None,
        num_instances=50,
        loss_weight=0.4,
    ),
)
