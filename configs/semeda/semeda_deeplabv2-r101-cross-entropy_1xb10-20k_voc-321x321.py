# What the paper compares with: DeepLab-v2 with cross-entropy alone.
_base_ = [
    '../_base_/models/deeplabv2_r101.py',
    '../_base_/datasets/voc_semeda.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_20k_deeplabv2.py',
]
model = dict(data_preprocessor=dict(size=_base_.crop_size))
