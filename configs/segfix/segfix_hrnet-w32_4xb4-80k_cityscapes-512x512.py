# SegFix on HRNet-W32.
_base_ = [
    '../_base_/models/segfix_hrnet-w32.py',
    '../_base_/datasets/cityscapes_segfix.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(data_preprocessor=dict(size=_base_.crop_size))
