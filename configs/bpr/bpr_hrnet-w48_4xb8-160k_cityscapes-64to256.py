# As published, the large network.
_base_ = [
    '../_base_/models/bpr_hrnet-w48.py',
    '../_base_/datasets/cityscapes_bpr.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_160k_bpr.py',
]
patches = dict(patch_size=64, padding=0, input_size=256)
model = dict(test_cfg=dict(**patches, iou_threshold=0.55))
train_dataloader = dict(dataset=patches)
val_dataloader = dict(dataset=patches)
test_dataloader = val_dataloader
