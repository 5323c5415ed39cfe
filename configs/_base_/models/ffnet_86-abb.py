# FFNet; the name says which: see docs/ffnet.md.
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='mmrefine.FFNet',
    name='FFNet-86-ABB',
    num_classes=19,
    norm_cfg=norm_cfg,
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    decode_head=dict(loss_decode=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
