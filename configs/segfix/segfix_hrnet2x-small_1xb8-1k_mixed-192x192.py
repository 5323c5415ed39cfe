# The weights that come with the package: road scenes, objects, everyday photographs and nuclei.
# Starts from what 2,000 iterations on road scenes gave; about 40 minutes on a CPU core.
_base_ = './segfix_hrnet2x-small_1xb8-2k_camvid-192x192.py'
# Labels change by one pixel, where most directions say so: good masks stay good.
model = dict(test_cfg=dict(min_confidence=0.5, scale=1))
load_from = 'work_dirs/segfix_hrnet2x-small_1xb8-2k_camvid-192x192/iter_2000.pth'
finish = [
    dict(type='mmseg.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    _base_.targets,
    dict(type='mmrefine.PackSegFixInputs'),
]
# Crops with a boundary in them: no label has more than 95 % of the pixels.
crop = dict(type='mmseg.RandomCrop', crop_size=_base_.crop_size, cat_max_ratio=0.95)
resize = dict(type='RandomResize', resize_type='mmseg.Resize', keep_ratio=True)
load = dict(type='LoadImageFromFile')
road_scenes = dict(
    _base_.train_dataloader.dataset,
    pipeline=[
        load,
        dict(type='mmseg.LoadAnnotations'),
        dict(resize, scale=(480, 360), ratio_range=(0.75, 1.5)),
        crop,
        *finish,
    ],
)
instances = dict(
    type='mmrefine.CocoInstanceMapDataset',
    ann_file='annotations/train.json',
    data_prefix=dict(img_path='images/train'),
)
# One object of an image is annotated, so what is far from it is not judged.
objects = dict(
    instances,
    data_root='data/davis/',
    pipeline=[
        load,
        dict(type='mmrefine.PaintInstanceMap', ignore_beyond=24),
        dict(resize, scale=(854, 480), ratio_range=(0.4, 1.25)),
        crop,
        *finish,
    ],
)
photographs = dict(
    instances,
    data_root='data/coco_open/',
    pipeline=[
        load,
        dict(type='mmrefine.PaintInstanceMap', ignore_beyond=24),
        dict(resize, scale=(640, 640), ratio_range=(0.5, 1.25)),
        crop,
        *finish,
    ],
)
nuclei = dict(
    instances,
    data_root='data/nuclei/',
    pipeline=[
        load,
        dict(type='mmrefine.PaintInstanceMap'),
        dict(resize, scale=(320, 320), ratio_range=(0.6, 1.5)),
        crop,
        *finish,
    ],
)
train_dataloader = dict(
    sampler=dict(_delete_=True, type='mmrefine.EvenSourceSampler'),
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[road_scenes, objects, photographs, nuclei],
        ignore_keys=['classes', 'palette', 'label_map', 'reduce_zero_label'],
    ),
)
train_cfg = dict(max_iters=1000, val_interval=500)
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=1000, by_epoch=False)]
default_hooks = dict(checkpoint=dict(interval=100, max_keep_ckpts=1))
