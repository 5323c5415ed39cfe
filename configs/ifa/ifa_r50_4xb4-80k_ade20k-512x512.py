# The paper's recipe for ADE20K is not known; this is mmseg's.
_base_ = [
    '../_base_/models/ifa_r50.py',
    '../_base_/datasets/ade20k_ifa.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(num_classes=150),
    auxiliary_head=dict(num_classes=150),
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
