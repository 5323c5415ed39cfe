# Ablation: NMS 0.55 in training, too.
_base_ = './bpr_hrnet-w18s_4xb8-160k_cityscapes-64to128.py'
train_dataloader = dict(dataset=dict(iou_threshold=0.55))
