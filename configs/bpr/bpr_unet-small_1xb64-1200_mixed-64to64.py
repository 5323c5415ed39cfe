# The weights that came with the package first: objects, road scenes, photographs and nuclei;
# coarse masks that models predicted and masks made coarse, and good ones among them, so that good
# masks are left alone. Half an hour on 2 CPU cores; nothing is downloaded.
_base_ = [
    '../_base_/models/bpr_unet-small.py',
    '../_base_/datasets/davis_bpr.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_160k_bpr.py',
]
pipeline = [
    dict(type='mmseg.RandomRotFlip', rotate_prob=0, flip_prob=0.5),
    dict(type='mmseg.RandomFlip', prob=0.5),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmrefine.PackPatchInputs'),
]
davis = dict(
    _base_.train_dataloader.dataset,
    patch_size=(48, 64, 96),
    input_size=64,
    patches_per_image=16,
    instances_per_image=3,
    good_share=0.2,
    pipeline=pipeline,
)
davis_made = dict(davis, coarse=None, degradation=dict(strength=1.5))
davis_rough = dict(davis, coarse=None, degradation=dict(strength=3))
photographs = dict(davis_made, data_root='data/coco_open/')
nuclei = dict(
    davis_made,
    data_root='data/nuclei/',
    patch_size=(32, 48, 64),
    degradation=dict(grid=10, strength=1.5),
)
# Made by tools/label_maps_to_coco.py out of CamVid's label maps and a model's for the same images.
road_scenes = dict(
    davis,
    data_root='data/camvid/',
    ann_file='annotations/train.json',
    coarse='results/train.segm.json',
    data_prefix=dict(img_path='img_dir/train'),
    patch_size=(32, 48, 64),
)
road_scenes_made = dict(road_scenes, coarse=None, degradation=dict(strength=1.5))
# 4 images with 16 patches each make a batch of 64.
train_dataloader = dict(
    num_workers=1,
    sampler=dict(_delete_=True, type='mmrefine.EvenSourceSampler'),
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            davis,
            davis_made,
            davis_rough,
            photographs,
            nuclei,
            road_scenes,
            road_scenes_made,
        ],
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(input_size=64),
)
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=3e-3, weight_decay=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type='PolyLR', eta_min=0, power=0.9, begin=100, end=1200, by_epoch=False),
]
train_cfg = dict(max_iters=1200, val_interval=300)
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=1))
randomness = dict(seed=0)
