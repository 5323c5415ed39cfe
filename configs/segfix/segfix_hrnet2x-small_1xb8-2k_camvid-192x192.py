# Small enough for a CPU: about an hour on 2 cores.
_base_ = [
    '../_base_/models/segfix_hrnet2x-small.py',
    '../_base_/datasets/camvid_segfix.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
crop_size = (192, 192)
train_pipeline = _base_.train_pipeline
train_pipeline[2].ratio_range = (0.75, 1.5)
train_pipeline[3].crop_size = crop_size
model = dict(data_preprocessor=dict(size=crop_size))
train_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(num_workers=1)
test_dataloader = val_dataloader
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=2e-3, weight_decay=0.01),
)
train_cfg = dict(max_iters=2000, val_interval=1000)
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=2000, by_epoch=False)]
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=1))
randomness = dict(seed=0)
