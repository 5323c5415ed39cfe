# As published.
_base_ = [
    '../_base_/models/bpr_hrnet-w18s.py',
    '../_base_/datasets/cityscapes_bpr.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_160k_bpr.py',
]
# NMS at inference; published: 0.25 by default, 0.55 at its best.
model = dict(test_cfg=dict(iou_threshold=0.55))
