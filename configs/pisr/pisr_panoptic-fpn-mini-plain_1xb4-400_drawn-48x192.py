# The drawn world from the common start on, without relations.
_base_ = './pisr_panoptic-fpn-mini-start_1xb4-400_drawn-48x192.py'
load_from = 'work_dirs/pisr_panoptic-fpn-mini-start_1xb4-400_drawn-48x192/iter_400.pth'
param_scheduler = [
    dict(type='MultiStepLR', begin=0, end=400, milestones=[320], gamma=0.1, by_epoch=False)
]
