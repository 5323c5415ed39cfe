_base_ = [
    '../_base_/models/segfix_hrnet2x.py',
    '../_base_/datasets/ade20k_segfix.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(data_preprocessor=dict(size=_base_.crop_size))
optim_wrapper = dict(optimizer=dict(lr=0.02))
