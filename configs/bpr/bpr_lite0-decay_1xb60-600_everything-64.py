# The last part of the training of the weights that come with the package: the learning rate falls
# to nothing. Starts from the mean weights that the long part had reached. Some of the truths are
# drawn with few corners, and the photographs, whose annotators did so, come more often.
_base_ = './bpr_lite0_1xb60-20k_everything-64.py'
load_from = 'work_dirs/bpr_lite0_1xb60-20k_everything-64/latest.pth'
model = dict(backbone=dict(init_cfg=None))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=40, by_epoch=False),
    dict(type='LinearLR', start_factor=1.0, end_factor=0.01, begin=40, end=600, by_epoch=False),
]
train_cfg = dict(max_iters=600)
custom_hooks = [dict(type='EMAHook', momentum=0.01, update_buffers=True)]
datasets = [dict(part, polygon_share=0.12) for part in _base_.everything]
train_dataloader = dict(dataset=dict(datasets=[*datasets, *[_base_.photographs] * 3]))
randomness = dict(seed=1)
