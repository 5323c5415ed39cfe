# The common start, to be run by benchmarks/pisr_drawn.py, which draws the world: relations stay at
# zero, so the network predicts as without them, and their first pass learns. The benchmark drops
# them from its weights: they are new in what follows.
_base_ = './pisr_panoptic-fpn-mini_1xb4-800_drawn-48x192.py'
model = dict(relations=dict(start=0.0))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'relations.relations': dict(lr_mult=0)}))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=50, by_epoch=False),
    dict(type='ConstantLR', factor=1.0, begin=0, end=400, by_epoch=False),
]
train_cfg = dict(max_iters=400, val_interval=400)
default_hooks = dict(checkpoint=dict(interval=400))
load_from = None
