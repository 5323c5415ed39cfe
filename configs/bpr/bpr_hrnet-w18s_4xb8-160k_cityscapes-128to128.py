# Ablation: patch 128.
_base_ = './bpr_hrnet-w18s_4xb8-160k_cityscapes-64to128.py'
patches = dict(patch_size=128, padding=0, input_size=128)
model = dict(test_cfg=patches)
train_dataloader = dict(dataset=patches)
val_dataloader = dict(dataset=patches)
test_dataloader = val_dataloader
