# A longer round, with still more photographs whose truths have few corners. It was
# stopped after 1,500 iterations; to go on from there: --cfg-options
#   load_from=configs/bpr/bpr_lite0-again_iter-1500.pth
_base_ = './bpr_lite0-again_1xb60-1500_everything-64.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type='LinearLR', start_factor=1.0, end_factor=0.01, begin=100, end=4000, by_epoch=False),
]
train_cfg = dict(max_iters=4000)
custom_hooks = [
    dict(type='EMAHook', momentum=0.01, update_buffers=True),
    dict(type='mmrefine.ChannelsLastHook'),
]
train_dataloader = dict(dataset=dict(datasets=[*_base_.datasets, *[_base_.photographs] * 9]))
randomness = dict(seed=3)
