# KITTI's raw recordings with Eigen's split; the lists are those that Monodepth2 uses.
dataset_type = 'mmrefine.KittiRawDataset'
data_root = 'data/kitti_raw/'
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
    dict(type='mmrefine.LoadScanDepth'),
    dict(type='mmrefine.PackFrames'),
]
train_dataloader = dict(
    batch_size=12,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='splits/eigen_zhou/train_files.txt',
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
        ann_file='splits/eigen/test_files.txt',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmrefine.MonocularDepthMetric', max_depth=80, crop='garg')
test_evaluator = val_evaluator
