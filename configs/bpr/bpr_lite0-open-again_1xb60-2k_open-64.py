# A further round of the weights that are free for any use: up to a high learning rate again, and
# down to nothing.
_base_ = './bpr_lite0-open_1xb60-3k_open-64.py'
load_from = 'mmrefine/weights/bpr_lite0-open.pth'
optim_wrapper = dict(optimizer=dict(lr=1.2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=40, by_epoch=False),
    dict(type='LinearLR', start_factor=1.0, end_factor=0.01, begin=40, end=2000, by_epoch=False),
]
train_cfg = dict(max_iters=2000)
randomness = dict(seed=6)
