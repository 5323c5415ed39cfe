# Patches on disk: those of BPR's authors, or what tools/make_patches.py wrote.
dataset_type = 'mmrefine.CityscapesPatchDataset'
data_root = 'data/cityscapes/patches/'
input_size = 128
loading = [dict(type='LoadImageFromFile'), dict(type='mmrefine.LoadPatchMasks')]
train_pipeline = [
    *loading,
    dict(type='mmseg.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmrefine.ResizePatch', size=input_size),
    dict(type='mmrefine.PackPatchInputs'),
]
test_pipeline = [
    *loading,
    dict(type='mmrefine.ResizePatch', size=input_size),
    dict(type='mmrefine.PackPatchInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='img_dir/train', mask_path='mask_dir/train', seg_map_path='ann_dir/train'
        ),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='img_dir/val', mask_path='mask_dir/val', seg_map_path='ann_dir/val'
        ),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmrefine.PatchMetric')
test_evaluator = val_evaluator
