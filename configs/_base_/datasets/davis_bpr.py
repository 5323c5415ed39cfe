# DAVIS-2016 as COCO instances, one object an image, with the masks OSVOS predicts.
dataset_type = 'mmrefine.BoundaryPatchDataset'
data_root = 'data/davis/'
patch_size = 64
padding = 0
input_size = 128
iou_threshold = 0.25
train_pipeline = [
    dict(type='mmseg.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmrefine.PackPatchInputs'),
]
test_pipeline = [
    dict(type='mmrefine.PackPatchInputs'),
]
# 4 images with 4 patches each make a batch of 16.
train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        coarse='results/osvos_train.segm.json',
        data_prefix=dict(img_path='images/train'),
        patch_size=patch_size,
        padding=padding,
        input_size=input_size,
        iou_threshold=iou_threshold,
        patches_per_image=4,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/val.json',
        coarse='results/osvos_val.segm.json',
        data_prefix=dict(img_path='images/val'),
        patch_size=patch_size,
        padding=padding,
        input_size=input_size,
        iou_threshold=iou_threshold,
        patches_per_image=16,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmrefine.PatchMetric')
test_evaluator = val_evaluator
