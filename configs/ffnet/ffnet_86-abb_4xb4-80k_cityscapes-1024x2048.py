# GPU, large; every other config differs from it by the model's name.
_base_ = [
    '../_base_/models/ffnet_86-abb.py',
    '../_base_/datasets/cityscapes_ffnet.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(name='FFNet-86-ABB', data_preprocessor=dict(size=_base_.crop_size))
optim_wrapper = dict(optimizer=dict(lr=0.01))
