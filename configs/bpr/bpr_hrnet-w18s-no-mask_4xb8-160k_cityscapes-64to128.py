# Ablation: without the mask patch.
_base_ = './bpr_hrnet-w18s_4xb8-160k_cityscapes-64to128.py'
model = dict(data_preprocessor=dict(with_mask=False), backbone=dict(in_channels=3))
