# As released, but for the stem.
_base_ = [
    '../_base_/models/ifa_r50.py',
    '../_base_/datasets/cityscapes_ifa.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_37k_ifa.py',
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    test_cfg=dict(mode='slide', crop_size=_base_.crop_size, stride=(513, 513)),
)
