# Ablation: input 512.
_base_ = './bpr_hrnet-w18s_4xb8-160k_cityscapes-64to128.py'
patch_size, padding, input_size = 64, 0, 512
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[-2].scale = test_pipeline[-2].scale = (input_size, input_size)
patches = dict(patch_size=patch_size, padding=padding)
model = dict(test_cfg=dict(**patches, input_size=input_size))
train_dataloader = dict(dataset=dict(**patches, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(**patches, pipeline=test_pipeline))
test_dataloader = val_dataloader
