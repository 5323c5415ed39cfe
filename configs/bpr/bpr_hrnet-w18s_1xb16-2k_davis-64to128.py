# Small enough for a CPU: under an hour on 2 cores. Nothing is downloaded.
_base_ = [
    '../_base_/models/bpr_hrnet-w18s.py',
    '../_base_/datasets/davis_bpr.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_160k_bpr.py',
]
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(backbone=dict(init_cfg=None, norm_cfg=norm_cfg), decode_head=dict(norm_cfg=norm_cfg))
# Few videos: half of the coarse masks are predicted, half are made out of the true ones; three
# patch sizes.
predicted = dict(_base_.train_dataloader.dataset, patch_size=(48, 64, 96))
made = dict(predicted, coarse=None)
train_dataloader = dict(
    num_workers=1, dataset=dict(_delete_=True, type='ConcatDataset', datasets=[predicted, made])
)
val_dataloader = dict(num_workers=1)
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=2e-3, weight_decay=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type='PolyLR', eta_min=0, power=0.9, begin=100, end=2000, by_epoch=False),
]
train_cfg = dict(max_iters=2000, val_interval=500)
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=1))
randomness = dict(seed=0)
