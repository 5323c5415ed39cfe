# Crops of images with fine masks of many kinds, at half to one and a half of their size.
# ../shared/data as data.
root = 'data/'
crop_size = (192, 192)
load = dict(type='LoadImageFromFile')
load_map = dict(type='mmseg.LoadAnnotations')
paint = dict(type='mmrefine.PaintInstanceMap')


def cut(annotations, scale, ignore_beyond=16):
    # Some objects of an image are annotated, so what is far from them is not judged.
    return [
        load,
        annotations,
        dict(
            type='RandomResize',
            resize_type='mmseg.Resize',
            keep_ratio=True,
            scale=scale,
            ratio_range=(0.5, 1.5),
        ),
        # With a boundary in it: no label has more than 95 % of the pixels.
        dict(type='mmseg.RandomCrop', crop_size=crop_size, cat_max_ratio=0.95),
        dict(type='mmseg.RandomFlip', prob=0.5),
        dict(type='mmseg.PhotoMetricDistortion'),
        dict(type='mmrefine.GenerateBoundaryDirection', ignore_beyond=ignore_beyond),
        dict(type='mmrefine.PackSegFixInputs'),
    ]


def maps(folder, scale, **options):
    return dict(
        type='mmseg.BaseSegDataset',
        data_root=root + 'more/' + folder,
        data_prefix=dict(img_path='images/train', seg_map_path='masks/train'),
        img_suffix='.jpg',
        seg_map_suffix='.png',
        metainfo=dict(classes=('background', 'object')),
        pipeline=cut(load_map, scale, **options),
    )


def instances(folder, scale, **options):
    return dict(
        type='mmrefine.CocoInstanceMapDataset',
        data_root=root + folder,
        ann_file='annotations/train.json',
        data_prefix=dict(img_path='images/train'),
        pipeline=cut(paint, scale, **options),
    )


nuclei = instances('nuclei', (400, 400), ignore_beyond=None)
photographs = instances('coco_open', (640, 640))
davis = instances('davis', (854, 480))
more_davis = maps('research/davis', (640, 360))
cats = maps('open/feral_cats', (448, 448))
cutouts = maps('open/tuxpaint_composites', (480, 360))
household = maps('open/household_renders', (640, 480))
emoji = maps('open/fluent3d_composites', (480, 360))
people = maps('research/ccp', (640, 640))
horses = maps('research/weizmann_horses', (260, 260))
salient = maps('research/weizmann_seg_eval', (320, 320))
sky = maps('research/sky', (600, 400))
seedlings = maps('research/cwfid', (640, 480))
carrots = maps('research/carrot_weed', (640, 480))
blood = maps('research/wbc', (160, 160))
lego = maps('research/nerf_lego_composites', (560, 420))
road_scenes = dict(
    type='mmrefine.CamVidDataset',
    data_root=root + 'camvid',
    data_prefix=dict(img_path='img_dir/train', seg_map_path='ann_dir/train'),
    img_suffix='.jpg',
    pipeline=cut(load_map, (480, 360), ignore_beyond=None),
)
# A source named twice is drawn twice as often.
everything = [
    *(road_scenes,) * 5,
    *(davis, more_davis, people, cats) * 3,
    *(household, cutouts, horses, salient, nuclei, photographs) * 2,
    *(emoji, sky, seedlings, carrots, blood, lego),
]
del cut, maps, instances
train_dataloader = dict(
    batch_size=12,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='mmrefine.EvenSourceSampler'),
    dataset=dict(
        type='ConcatDataset',
        datasets=everything,
        ignore_keys=['classes', 'palette', 'label_map', 'reduce_zero_label'],
    ),
)
