# The longest round: photographs, whose truths have few corners, and real models' masks of videos
# come more often. Starts from 1,500 iterations of a round like it that was stopped half-way.
_base_ = './bpr_lite0-again_1xb60-1500_everything-64.py'
load_from = 'configs/bpr/bpr_lite0-again_iter-1500.pth'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type='LinearLR', start_factor=1.0, end_factor=0.01, begin=100, end=7000, by_epoch=False),
]
train_cfg = dict(max_iters=7000)
custom_hooks = [
    dict(type='EMAHook', momentum=0.01, update_buffers=True),
    dict(type='mmrefine.ChannelsLastHook'),
]
videos = [_base_.davis, _base_.more_davis] * 2
train_dataloader = dict(
    dataset=dict(datasets=[*_base_.datasets, *videos, *[_base_.photographs] * 4])
)
randomness = dict(seed=5)
