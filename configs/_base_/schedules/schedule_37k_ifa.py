# Released: SGD, poly 0.9, 100 epochs of Cityscapes in batches of 8; heads learn ten times as fast.
# The released loss is divided by the number of GPUs once too often, so that its rate is a quarter
# of the 0.01 that it names.
_base_ = './schedule_80k.py'
optim_wrapper = dict(
    optimizer=dict(lr=0.0025), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10.0)))
)
train_cfg = dict(max_iters=37000, val_interval=3700)
param_scheduler = [
    dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=37000, by_epoch=False),
]
default_hooks = dict(checkpoint=dict(interval=3700))
