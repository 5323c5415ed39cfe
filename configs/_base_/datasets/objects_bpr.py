# Images with fine masks of many kinds, windows of 44 to 110 px at 64 px. ../shared/data as data.
root = 'data/'


def maps(folder, **options):
    return dict(
        type='mmrefine.ObjectPatchDataset',
        data_root=root + folder,
        masks='masks/train',
        data_prefix=dict(img_path='images/train'),
        patches_per_image=12,
        input_size=64,
        window_sizes=(44, 110),
        **options,
    )


def instances(folder, **options):
    return dict(
        type='mmrefine.ObjectPatchDataset',
        data_root=root + folder,
        ann_file='annotations/train.json',
        data_prefix=dict(img_path='images/train'),
        patches_per_image=12,
        input_size=64,
        window_sizes=(44, 110),
        **options,
    )


nuclei = instances('nuclei')
photographs = instances('coco_open')
cats = maps('more/open/feral_cats')
cutouts = maps('more/open/tuxpaint_composites')
household = maps('more/open/household_renders')
emoji = maps('more/open/fluent3d_composites')
openly_licensed = [nuclei, photographs, cats, cutouts, household, emoji]
davis = instances('davis', coarse=('results/osvos_train.segm.json', 'results/rvos_train.segm.json'))
more_davis = maps('more/research/davis', coarse=('pred_osvos/train', 'pred_rvos/train'))
road_scenes = dict(
    type='mmrefine.ObjectPatchDataset',
    data_root=root + 'camvid',
    masks='ann_dir/train',
    coarse=('pred/train',),
    with_zero=True,
    data_prefix=dict(img_path='img_dir/train'),
    patches_per_image=12,
    input_size=64,
    window_sizes=(44, 110),
)
people = maps('more/research/ccp')
horses = maps('more/research/weizmann_horses')
salient = maps('more/research/weizmann_seg_eval')
sky = maps('more/research/sky')
seedlings = maps('more/research/cwfid')
carrots = maps('more/research/carrot_weed')
blood = maps('more/research/wbc')
lego = maps('more/research/nerf_lego_composites')
# A source named twice is drawn twice as often.
everything = [
    *(davis, more_davis, people, cats) * 3,
    *(household, cutouts, horses, salient, road_scenes, nuclei, photographs) * 2,
    *(emoji, sky, seedlings, carrots, blood, lego),
]
del maps, instances
# 5 images with 12 patches each make a batch of 60.
train_dataloader = dict(
    batch_size=5,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='mmrefine.EvenSourceSampler'),
    dataset=dict(type='ConcatDataset', datasets=everything),
)
