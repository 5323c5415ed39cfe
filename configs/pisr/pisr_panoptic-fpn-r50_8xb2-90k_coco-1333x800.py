# Panoptic FPN with the relations of PISR on COCO; as mmdet's own config otherwise.
_base_ = 'mmdet::panoptic_fpn/panoptic-fpn_r50_fpn_1x_coco.py'
model = dict(
    type='mmrefine.PISRPanopticFPN',
    relations=dict(
        type='mmrefine.PISRNeck',
        in_channels=256,
        num_things_classes=80,
        num_stuff_classes=53,
        level=1,
        related_levels=(0, 1, 2, 3),
        num_instances=50,
        loss_weight=0.4,
    ),
)
