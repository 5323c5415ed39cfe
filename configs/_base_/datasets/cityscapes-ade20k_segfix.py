# The unified model: half of every batch from Cityscapes, half from ADE20K.
_base_ = './cityscapes_segfix.py'
ade20k_train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg.LoadAnnotations'),
    dict(
        type='RandomResize',
        resize_type='mmseg.Resize',
        scale=(2048, 512),
        ratio_range=(0.5, 2.0),
        keep_ratio=True,
    ),
    dict(type='mmseg.RandomCrop', crop_size={{_base_.crop_size}}),
    dict(type='mmseg.RandomFlip', prob=0.5),
    {{_base_.brightness}},
    {{_base_.targets}},
    dict(type='mmrefine.PackSegFixInputs'),
]
train_dataloader = dict(
    sampler=dict(_delete_=True, type='mmrefine.EvenSourceSampler'),
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        # The classes differ, and do not matter: only where labels change does.
        ignore_keys=['classes', 'palette', 'label_map', 'reduce_zero_label'],
        datasets=[
            {{_base_.train_dataloader.dataset}},
            dict(
                type='mmseg.ADE20KDataset',
                data_root='data/ade/ADEChallengeData2016',
                data_prefix=dict(img_path='images/training', seg_map_path='annotations/training'),
                pipeline=ade20k_train_pipeline,
            ),
        ],
    ),
)
