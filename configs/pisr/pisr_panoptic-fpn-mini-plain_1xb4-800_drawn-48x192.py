# A small Panoptic FPN on the drawn world of benchmarks/pisr_drawn.py, without relations, from the
# common start on. Two stages only: no pixel sees further than about 70 pixels.
_base_ = 'mmdet::panoptic_fpn/panoptic-fpn_r50_fpn_1x_coco.py'
data_root = 'data/drawn_panoptic/'
things, stuff = ('disc', 'square', 'triangle'), ('sky', 'meadow', 'desert')
metainfo = dict(
    classes=things + stuff,
    thing_classes=things,
    stuff_classes=stuff,
    palette=[
        (220, 20, 60),
        (0, 0, 142),
        (250, 170, 30),
        (70, 130, 180),
        (107, 142, 35),
        (200, 180, 120),
    ],
)
norm_cfg = dict(_delete_=True, type='BN', requires_grad=True)
channels = 32
model = dict(
    data_preprocessor=dict(pad_size_divisor=16),
    backbone=dict(
        depth=18,
        num_stages=2,
        out_indices=(0, 1),
        strides=(1, 2),
        dilations=(1, 1),
        stem_channels=16,
        base_channels=16,
        frozen_stages=-1,
        norm_eval=False,
        init_cfg=None,
    ),
    neck=dict(in_channels=[16, 32], out_channels=channels, num_outs=2),
    rpn_head=dict(
        in_channels=channels,
        feat_channels=channels,
        anchor_generator=dict(scales=[3], ratios=[1.0], strides=[4, 8]),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(
            roi_layer=dict(sampling_ratio=2), out_channels=channels, featmap_strides=[4, 8]
        ),
        bbox_head=dict(in_channels=channels, fc_out_channels=64, num_classes=len(things)),
        mask_roi_extractor=dict(
            roi_layer=dict(sampling_ratio=2), out_channels=channels, featmap_strides=[4, 8]
        ),
        mask_head=dict(
            num_convs=1, in_channels=channels, conv_out_channels=channels, num_classes=len(things)
        ),
    ),
    semantic_head=dict(
        num_things_classes=len(things),
        num_stuff_classes=len(stuff),
        in_channels=channels,
        inner_channels=channels,
        end_level=2,
        norm_cfg=norm_cfg,
    ),
    panoptic_fusion_head=dict(num_things_classes=len(things), num_stuff_classes=len(stuff)),
    train_cfg=dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(max_per_img=40),
        rcnn=dict(sampler=dict(num=32)),
    ),
    test_cfg=dict(
        rpn=dict(max_per_img=40),
        rcnn=dict(max_per_img=12),
        panoptic=dict(stuff_area_limit=64),
    ),
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadPanopticAnnotations'),
    dict(type='Resize', scale=(192, 48), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(192, 48), keep_ratio=True),
    dict(type='LoadPanopticAnnotations'),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True),
    batch_sampler=None,
    dataset=dict(
        data_root=data_root,
        metainfo=metainfo,
        ann_file='train.json',
        data_prefix=dict(img='images/train', seg='panoptic/train'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        metainfo=metainfo,
        ann_file='val.json',
        data_prefix=dict(img='images/val', seg='panoptic/val'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    ann_file=data_root + 'val.json', seg_prefix=data_root + 'panoptic/val', nproc=1
)
test_evaluator = val_evaluator
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='Adam', lr=2e-3), clip_grad=dict(max_norm=35)
)
param_scheduler = [
    dict(type='MultiStepLR', begin=0, end=800, milestones=[640], gamma=0.1, by_epoch=False)
]
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=800, val_interval=800)
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=800), logger=dict(interval=50))
log_processor = dict(by_epoch=False)
load_from = 'work_dirs/pisr_panoptic-fpn-mini-start_1xb4-400_drawn-48x192/iter_400.pth'
