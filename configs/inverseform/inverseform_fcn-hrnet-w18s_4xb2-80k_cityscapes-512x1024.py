# Published: a second segmentation head and two boundary heads, in training only.
_base_ = [
    '../_base_/models/fcn_hrnet-w18s.py',
    '../_base_/datasets/cityscapes_semeda.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
head = _base_.model.decode_head
features = dict(
    in_channels=head.in_channels,
    in_index=head.in_index,
    input_transform=head.input_transform,
    channels=head.channels,
    norm_cfg=head.norm_cfg,
    align_corners=head.align_corners,
)
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    auxiliary_head=[
        dict(head, loss_decode=dict(head.loss_decode, loss_weight=0.4)),
        dict(type='mmrefine.BoundaryHead', num_convs=0, **features),
        dict(
            type='mmrefine.BoundaryHead',
            num_convs=1,
            loss_decode=[
                dict(type='mmrefine.BoundaryCrossEntropyLoss', loss_weight=0.12),
                dict(type='mmrefine.InverseFormLoss', loss_weight=0.12),
            ],
            **features,
        ),
    ],
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
