# Where the comparison on drawn scenes starts from: a small network, without a teacher. To be run by
# benchmarks/xdistill_drawn.py, which draws the scenes.
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
param_scheduler = [dict(type='ConstantLR', factor=1.0, begin=0, end=800, by_epoch=False)]
train_cfg = dict(max_iters=800, val_interval=400)
default_hooks = dict(checkpoint=dict(interval=100, max_keep_ckpts=1))
custom_hooks = [dict(type='mmrefine.ChannelsLastHook')]
