# IFA on the backbone of the common start, queries on the grid of the finest level.
_base_ = './ifa_hrnet-mini-fcn-head_1xb8-200_camvid-half-160x224.py'
head = _base_.model.decode_head
model = dict(
    decode_head=dict(
        _delete_=True,
        type='mmrefine.IFAHead',
        in_channels=head.in_channels,
        in_index=head.in_index,
        channels=64,
        level_channels=32,
        mlp_channels=(128, 64),
        num_classes=head.num_classes,
        norm_cfg=head.norm_cfg,
        align_corners=head.align_corners,
        loss_decode=head.loss_decode,
    ),
)
