# Videos as folders of frames, see mmrefine.FrameFolderDataset; true depth for evaluation only.
dataset_type = 'mmrefine.FrameFolderDataset'
data_root = 'data/my_videos/'
img_suffix = '.png'
image_size = (640, 192)  # width, height that the networks see
train_pipeline = [
    dict(type='mmrefine.LoadFrames'),
    dict(type='mmrefine.ResizeFrames', scale=image_size),
    dict(type='mmrefine.RandomFlipFrames', prob=0.5),
    dict(type='mmrefine.JitterFrames', prob=0.5),
    dict(type='mmrefine.PackFrames'),
]
test_pipeline = [
    dict(type='mmrefine.LoadFrames'),
    dict(type='mmrefine.ResizeFrames', scale=image_size),
    dict(type='mmrefine.LoadDepth'),
    dict(type='mmrefine.PackFrames'),
]
train_dataloader = dict(
    batch_size=12,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        img_suffix=img_suffix,
        data_prefix=dict(img_path='frames/train'),
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
        img_suffix=img_suffix,
        data_prefix=dict(img_path='frames/val', depth_path='depth/val'),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='mmrefine.MonocularDepthMetric', max_depth=80),
    dict(type='mmrefine.DepthBoundaryMetric', tolerance=(1, 2, 3)),
]
test_evaluator = val_evaluator
