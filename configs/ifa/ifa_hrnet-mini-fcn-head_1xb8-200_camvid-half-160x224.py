# What IFA is compared with: a fresh FCN head on the backbone of the common start.
_base_ = '../inverseform/inverseform_fcn-hrnet-mini-cross-entropy_1xb8-200_camvid-half-160x224.py'
start = _base_.load_from
load_from = None
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint=start, prefix='backbone.')),
)
