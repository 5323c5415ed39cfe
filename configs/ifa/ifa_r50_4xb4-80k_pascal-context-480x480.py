# The paper's recipe for PASCAL Context is not known; this is mmseg's, with 59 classes.
_base_ = [
    '../_base_/models/ifa_r50.py',
    '../_base_/datasets/pascal-context_ifa.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(num_classes=59),
    auxiliary_head=dict(num_classes=59),
)
optim_wrapper = dict(optimizer=dict(lr=0.004))
