# Weights that are free for any use: openly licensed images alone, in one go from ImageNet's.
_base_ = './bpr_lite0_1xb60-20k_everything-64.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=150, by_epoch=False),
    dict(type='LinearLR', start_factor=1.0, end_factor=0.01, begin=150, end=3000, by_epoch=False),
]
train_cfg = dict(max_iters=3000)
custom_hooks = [
    dict(type='EMAHook', momentum=0.01, update_buffers=True),
    dict(type='mmrefine.ChannelsLastHook'),
]
open_sources = [_base_.cats, _base_.household, _base_.cutouts, _base_.nuclei, _base_.photographs]
datasets = [dict(part, polygon_share=0.12) for part in [*open_sources * 2, _base_.emoji]]
train_dataloader = dict(dataset=dict(datasets=[*datasets, *[_base_.photographs] * 2]))
randomness = dict(seed=4)
