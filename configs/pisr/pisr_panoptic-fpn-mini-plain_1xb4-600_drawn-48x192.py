# The drawn world from the common start on, without relations.
_base_ = './pisr_panoptic-fpn-mini-start_1xb4-400_drawn-48x192.py'
load_from = 'work_dirs/pisr_panoptic-fpn-mini-start_1xb4-400_drawn-48x192/iter_400.pth'
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(type='MultiStepLR', begin=0, end=600, milestones=[500], gamma=0.1, by_epoch=False)
]
train_cfg = dict(max_iters=600, val_interval=600)
default_hooks = dict(checkpoint=dict(interval=600))
