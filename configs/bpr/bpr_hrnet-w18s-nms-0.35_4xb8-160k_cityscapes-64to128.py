# Ablation: NMS at inference; training is the same.
_base_ = './bpr_hrnet-w18s_4xb8-160k_cityscapes-64to128.py'
model = dict(test_cfg=dict(iou_threshold=0.35))
