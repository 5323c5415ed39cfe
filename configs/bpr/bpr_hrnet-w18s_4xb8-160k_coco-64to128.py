# As published for COCO.
_base_ = [
    '../_base_/models/bpr_hrnet-w18s.py',
    '../_base_/datasets/coco_bpr.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_160k_bpr.py',
]
