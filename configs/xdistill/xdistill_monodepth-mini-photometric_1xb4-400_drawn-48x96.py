# Drawn scenes, from the common start on, without a teacher.
_base_ = './xdistill_monodepth-mini-start_1xb4-800_drawn-48x96.py'
load_from = 'work_dirs/xdistill_monodepth-mini-start_1xb4-800_drawn-48x96/iter_800.pth'
param_scheduler = [
    dict(type='MultiStepLR', begin=0, end=400, milestones=[300], gamma=0.2, by_epoch=False)
]
train_cfg = dict(max_iters=400, val_interval=200)
