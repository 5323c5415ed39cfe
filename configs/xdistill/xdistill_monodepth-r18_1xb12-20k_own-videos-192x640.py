# X-Distill on your videos: change the three lines below, and name a trained teacher. Frames of each
# video are in order of their names; intrinsics.txt has three rows, fx 0 cx / 0 fy cy / 0 0 1, for
# all videos of its folder and below. True depth (16-bit PNG, × 256, or .npy) is for evaluation.
#   DATA_ROOT/frames/{train,val}/VIDEO/NAME.jpg    DATA_ROOT/frames/{train,val}/intrinsics.txt
#   DATA_ROOT/depth/val/VIDEO/NAME.png
_base_ = [
    '../_base_/models/monodepth_r18.py',
    '../_base_/datasets/frames_xdistill.py',
    '../_base_/schedules/schedule_66k_depth.py',
    '../_base_/default_runtime.py',
]
data_root = 'data/my_videos/'
img_suffix = '.jpg'
image_size = (640, 192)  # width, height that the networks see

model = dict(
    depth_to_seg=dict(type='mmrefine.DepthToSegHead', num_groups=7, loss_weight=0.01),
    teacher=dict(
        type='mmrefine.SegmentationTeacher',
        config='{{ fileDirname }}/../_base_/models/deeplabv3plus_r50.py',
        checkpoint='data/teacher_cityscapes.pth',
        groups='cityscapes',
    ),
)
train_pipeline = _base_.train_pipeline
train_pipeline[1].scale = image_size
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = image_size
dataset = dict(data_root=data_root, img_suffix=img_suffix)
train_dataloader = dict(dataset=dict(**dataset, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(**dataset, pipeline=test_pipeline))
test_dataloader = val_dataloader
param_scheduler = [
    dict(type='MultiStepLR', begin=0, end=20000, milestones=[15000], gamma=0.1, by_epoch=False),
]
train_cfg = dict(max_iters=20000, val_interval=2000)
default_hooks = dict(checkpoint=dict(interval=2000))
