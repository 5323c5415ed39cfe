# ADE20K; boundary and direction targets are made online.
dataset_type = 'mmseg.ADE20KDataset'
data_root = 'data/ade/ADEChallengeData2016'
crop_size = (512, 512)
# Published: brightness only, shifted by up to 10 (hue_delta=1 is the least that is accepted).
brightness = dict(
    type='mmseg.PhotoMetricDistortion',
    brightness_delta=10,
    contrast_range=(1, 1),
    saturation_range=(1, 1),
    hue_delta=1,
)
# The released settings: boundary within 5 px (width, the paper's gamma), m = 8 directions.
targets = dict(type='mmrefine.GenerateBoundaryDirection', width=5, num_directions=8)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg.LoadAnnotations'),
    dict(
        type='RandomResize',
        resize_type='mmseg.Resize',
        scale=(2048, 512),
        ratio_range=(0.5, 2.0),
        keep_ratio=True,
    ),
    dict(type='mmseg.RandomCrop', crop_size=crop_size),
    dict(type='mmseg.RandomFlip', prob=0.5),
    brightness,
    targets,
    dict(type='mmrefine.PackSegFixInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg.LoadAnnotations'),
    targets,
    dict(type='mmrefine.PackSegFixInputs'),
]
train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='images/training', seg_map_path='annotations/training'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='images/validation', seg_map_path='annotations/validation'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmrefine.SegFixMetric')
test_evaluator = val_evaluator
