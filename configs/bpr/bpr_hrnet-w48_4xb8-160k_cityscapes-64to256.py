# As published, the large network.
_base_ = [
    '../_base_/models/bpr_hrnet-w48.py',
    '../_base_/datasets/cityscapes_bpr.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_160k_bpr.py',
]
patch_size, padding, input_size = 64, 0, 256
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[-2].scale = test_pipeline[-2].scale = (input_size, input_size)
patches = dict(patch_size=patch_size, padding=padding)
model = dict(test_cfg=dict(**patches, input_size=input_size, iou_threshold=0.55))
train_dataloader = dict(dataset=dict(**patches, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(**patches, pipeline=test_pipeline))
test_dataloader = val_dataloader
