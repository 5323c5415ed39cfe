# A small network on drawn scenes, without a teacher.
_base_ = [
    '../_base_/models/monodepth_mini.py',
    '../_base_/datasets/frames_xdistill.py',
    '../_base_/schedules/schedule_66k_depth.py',
    '../_base_/default_runtime.py',
]
data_root = 'data/drawn_videos/'
image_size = (96, 48)
train_pipeline = [
    dict(type='mmrefine.LoadFrames'),
    dict(type='mmrefine.LoadFrameLabels'),
    dict(type='mmrefine.JitterFrames', prob=0.5),
    dict(type='mmrefine.PackFrames'),
]
test_pipeline = [
    dict(type='mmrefine.LoadFrames'),
    dict(type='mmrefine.LoadDepth'),
    dict(type='mmrefine.PackFrames'),
]
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(img_path='frames/train', seg_map_path='labels/train'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=8, num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline)
)
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='MultiStepLR', begin=0, end=1200, milestones=[900], gamma=0.1, by_epoch=False)
]
train_cfg = dict(max_iters=1200, val_interval=600)
default_hooks = dict(checkpoint=dict(interval=600))
