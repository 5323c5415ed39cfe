# One more round: up to a high learning rate again, and down to nothing, with more of the truths
# drawn with few corners. To be repeated while it helps: it goes on from the weights that ship.
_base_ = './bpr_lite0-decay_1xb60-600_everything-64.py'
load_from = 'mmrefine/weights/bpr_lite0.pth'
optim_wrapper = dict(optimizer=dict(lr=1.2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=40, by_epoch=False),
    dict(type='LinearLR', start_factor=1.0, end_factor=0.01, begin=40, end=1500, by_epoch=False),
]
train_cfg = dict(max_iters=1500)
datasets = [dict(part, polygon_share=0.2) for part in _base_.everything]
train_dataloader = dict(dataset=dict(datasets=[*datasets, *[_base_.photographs] * 5]))
randomness = dict(seed=2)
