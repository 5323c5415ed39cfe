_base_ = [
    '../_base_/models/segfix_hrnet2x.py',
    '../_base_/datasets/camvid_segfix.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(data_preprocessor=dict(size=_base_.crop_size))
train_dataloader = dict(batch_size=16)
train_cfg = dict(max_iters=20000, val_interval=2000)
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=20000, by_epoch=False)]
default_hooks = dict(checkpoint=dict(interval=2000))
