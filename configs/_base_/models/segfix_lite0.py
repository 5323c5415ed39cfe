# SegFix with an encoder that knows ImageNet, for CPUs: 0.85 M parameters. Nothing runs at full
# resolution.
norm_cfg = dict(type='BN', requires_grad=True)
loss = dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True)
model = dict(
    type='mmrefine.SegFix',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor',
        mean=[127.0, 127.0, 127.0],
        std=[128.0, 128.0, 128.0],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        test_cfg=dict(size_divisor=32),
    ),
    backbone=dict(type='mmrefine.PatchEfficientNet', in_channels=3, fine_channels=16),
    decode_head=dict(
        type='mmrefine.SegFixFineHead',
        norm_cfg=norm_cfg,
        loss_boundary=loss,
        loss_direction=loss,
    ),
    train_cfg=dict(),
    # Labels change where most directions say so, pixel by pixel where many nearby do: good masks
    # stay good.
    test_cfg=dict(mode='whole', min_confidence=0.5, scale=1, steps=6),
)
