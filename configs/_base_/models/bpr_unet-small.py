# BPR with a small U-Net at full resolution: for CPUs, and for training from scratch on few images.
# Beside image and mask, it is told how much a pixel looks like the object or the background nearby.
norm_cfg = dict(type='BN', requires_grad=True)
num_stages = 4
model = dict(
    type='mmrefine.PatchRefiner',
    data_preprocessor=dict(
        type='mmrefine.PatchDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        contrast_radii=(8, 24),
    ),
    backbone=dict(
        type='mmseg.UNet',
        in_channels=6,
        base_channels=16,
        num_stages=num_stages,
        strides=(1,) * num_stages,
        enc_num_convs=(2,) * num_stages,
        enc_dilations=(1,) * num_stages,
        downsamples=(True,) * (num_stages - 1),
        dec_num_convs=(2,) * (num_stages - 1),
        dec_dilations=(1,) * (num_stages - 1),
        upsample_cfg=dict(type='mmseg.InterpConv'),
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(
        type='mmseg.FCNHead',
        in_channels=16,
        in_index=num_stages - 1,
        channels=16,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0,
        num_classes=2,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
    ),
    train_cfg=dict(),
    # What BPRRefiner cuts out: patches as in training, and their NMS threshold. Pixels change only
    # if the network is rather sure, so that good masks stay good.
    test_cfg=dict(
        mode='whole',
        patch_size=64,
        padding=0,
        input_size=64,
        iou_threshold=0.25,
        min_score_gain=0.4,
    ),
)
