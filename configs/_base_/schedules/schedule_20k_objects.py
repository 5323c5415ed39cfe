# AdamW at a constant rate after a warm-up; the mean of the last some thousand iterations is kept
# beside the weights, and is what a checkpoint's state_dict holds.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1.5e-3, weight_decay=0.02),
    clip_grad=dict(max_norm=2.0),
)
param_scheduler = [dict(type='LinearLR', start_factor=0.05, begin=0, end=200, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=20000, val_interval=1000000)
val_cfg = None
test_cfg = None
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=250, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)
custom_hooks = [dict(type='EMAHook', momentum=0.004, update_buffers=True)]
randomness = dict(seed=0)
