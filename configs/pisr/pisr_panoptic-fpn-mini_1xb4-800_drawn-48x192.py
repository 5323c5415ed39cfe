# The drawn world from the common start on, with the relations of PISR.
_base_ = './pisr_panoptic-fpn-mini-plain_1xb4-800_drawn-48x192.py'
model = dict(
    type='mmrefine.PISRPanopticFPN',
    relations=dict(
        type='mmrefine.PISRNeck',
        in_channels=32,
        num_things_classes=3,
        num_stuff_classes=3,
        level=0,
        related_levels=(0, 1),
        num_instances=8,
        spread=3.0,
        loss_weight=0.4,
        norm_cfg=dict(type='BN'),
        start=0.3,
    ),
)
# They are new, beside parts that have learned already.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'relations.relations': dict(lr_mult=5)}))
