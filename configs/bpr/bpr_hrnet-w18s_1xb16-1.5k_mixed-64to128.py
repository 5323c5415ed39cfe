# The weights that come with the package: objects, road scenes, everyday photographs and nuclei,
# with good masks among the coarse ones, so that these are left alone. Goes on from the network of
# the config it inherits from; about half an hour on 2 CPU cores.
_base_ = './bpr_hrnet-w18s_1xb16-2k_davis-64to128.py'
davis = dict(_base_.predicted, good_share=0.25)
davis_rvos = dict(davis, coarse='results/rvos_train.segm.json')
davis_made = dict(davis, coarse=None, degradation=dict(grid=56))
photographs = dict(_base_.made, data_root='data/coco_open/', good_share=0.25)
nuclei = dict(
    _base_.made,
    data_root='data/nuclei/',
    patch_size=(32, 48, 64),
    degradation=dict(grid=10),
    good_share=0.25,
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
train_dataloader = dict(
    sampler=dict(_delete_=True, type='mmrefine.EvenSourceSampler'),
    dataset=dict(datasets=[davis, davis_rvos, davis_made, photographs, nuclei, road_scenes]),
)
load_from = 'work_dirs/bpr_hrnet-w18s_1xb16-2k_davis-64to128/iter_2000.pth'
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=1500, by_epoch=False)]
train_cfg = dict(max_iters=1500)
