# mmseg's OCRNet with HRNet-W48.
_base_ = './fcn_hrnet-w18.py'
norm_cfg = _base_.norm_cfg
head = dict(
    in_channels=[48, 96, 192, 384],
    in_index=(0, 1, 2, 3),
    input_transform='resize_concat',
    dropout_ratio=-1,
    num_classes=19,
    norm_cfg=norm_cfg,
    align_corners=False,
)
model = dict(
    type='mmseg.CascadeEncoderDecoder',
    num_stages=2,
    backbone=dict(
        init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48'),
        extra=dict(
            stage2=dict(num_channels=(48, 96)),
            stage3=dict(num_channels=(48, 96, 192)),
            stage4=dict(num_channels=(48, 96, 192, 384)),
        ),
    ),
    decode_head=[
        dict(
            type='mmseg.FCNHead',
            channels=720,
            kernel_size=1,
            num_convs=1,
            concat_input=False,
            loss_decode=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True, loss_weight=0.4),
            **head,
        ),
        dict(
            type='mmseg.OCRHead',
            channels=512,
            ocr_channels=256,
            loss_decode=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
            **head,
        ),
    ],
)
