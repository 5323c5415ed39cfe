# Weights that are free for any use: openly licensed images alone.
_base_ = './segfix_lite0_1xb12-3k_everything-192x192.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=100, by_epoch=False),
    dict(type='LinearLR', start_factor=1.0, end_factor=0.01, begin=100, end=1800, by_epoch=False),
]
train_cfg = dict(max_iters=1800)
open_sources = [_base_.cats, _base_.household, _base_.cutouts, _base_.nuclei, _base_.photographs]
train_dataloader = dict(dataset=dict(datasets=[*open_sources * 2, _base_.emoji]))
randomness = dict(seed=1)
