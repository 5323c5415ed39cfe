# Cityscapes instances and a model's results for its training images: folders with *_pred.txt and
# PNGs, or COCO result files.
dataset_type = 'mmrefine.BoundaryPatchDataset'
data_root = 'data/cityscapes/'
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
# 2 images with 4 patches each make 8 a GPU.
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/instancesonly_filtered_gtFine_train.json',
        coarse='results/maskrcnn_train',
        data_prefix=dict(img_path='leftImg8bit/train'),
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
        ann_file='annotations/instancesonly_filtered_gtFine_val.json',
        coarse='results/maskrcnn_val',
        data_prefix=dict(img_path='leftImg8bit/val'),
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
