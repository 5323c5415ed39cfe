# No deep supervision; every other variant of the comparison differs by its heads only.
_base_ = [
    '../_base_/models/fcn_hrnet-mini.py',
    '../_base_/datasets/camvid-half_semeda.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(type='mmrefine.HRNet', early_stages=True),
)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=2e-3, weight_decay=0.01))
train_cfg = dict(max_iters=1000, val_interval=500)
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=1000, by_epoch=False)]
default_hooks = dict(
    logger=dict(interval=20), checkpoint=dict(interval=500, max_keep_ckpts=1, by_epoch=False)
)
randomness = dict(seed=0)
