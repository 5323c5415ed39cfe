# A boundary head with InverseForm, as published.
_base_ = './inverseform_fcn-hrnet-mini-cross-entropy_1xb8-200_camvid-half-160x224.py'
head = _base_.model.decode_head
model = dict(
    auxiliary_head=dict(
        type='mmrefine.BoundaryHead',
        in_channels=head.in_channels,
        in_index=head.in_index,
        input_transform=head.input_transform,
        channels=head.channels,
        norm_cfg=head.norm_cfg,
        align_corners=head.align_corners,
    ),
)
