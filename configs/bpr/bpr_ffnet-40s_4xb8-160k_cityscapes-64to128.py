# On FFNet-40S-BCC, a network for mobile devices.
_base_ = [
    '../_base_/models/bpr_ffnet-40s.py',
    '../_base_/datasets/cityscapes_bpr.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_160k_bpr.py',
]
model = dict(test_cfg=dict(iou_threshold=0.55))
