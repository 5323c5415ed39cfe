# Published: boundary heads behind HRNet and behind OCR; in mmseg, auxiliary heads see HRNet only.
_base_ = [
    '../_base_/models/ocrnet_hrnet-w48.py',
    '../_base_/datasets/cityscapes_semeda.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
head = _base_.model.decode_head[0]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
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
optim_wrapper = dict(optimizer=dict(lr=0.01))
