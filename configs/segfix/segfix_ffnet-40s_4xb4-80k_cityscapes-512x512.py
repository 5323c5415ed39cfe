# On FFNet-40S, a backbone for mobile devices.
_base_ = [
    '../_base_/models/segfix_ffnet-40s.py',
    '../_base_/datasets/cityscapes_segfix.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(data_preprocessor=dict(size=_base_.crop_size))
