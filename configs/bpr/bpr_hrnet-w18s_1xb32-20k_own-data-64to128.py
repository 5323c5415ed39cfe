# Your own data in COCO format: change the lines below. `coarse` are your model's results for the
# training images, a COCO result file; None where you have none: coarse masks are then made out of
# the true ones.
_base_ = './bpr_hrnet-w18s_4xb8-160k_coco-64to128.py'
data_root = 'data/my_data/'
train = dict(
    data_root=data_root,
    ann_file='annotations/train.json',
    coarse='results/train.segm.json',
    data_prefix=dict(img_path='images/train'),
)
val = dict(
    data_root=data_root,
    ann_file='annotations/val.json',
    coarse='results/val.segm.json',
    data_prefix=dict(img_path='images/val'),
)

# 8 images with 4 patches each make a batch of 32.
train_dataloader = dict(batch_size=8, dataset=dict(**train, iou_threshold=0.25))
val_dataloader = dict(dataset=dict(**val, iou_threshold=0.25))
test_dataloader = val_dataloader
train_cfg = dict(max_iters=20000, val_interval=2000)
param_scheduler = [
    dict(type='PolyLR', eta_min=1e-4, power=0.9, begin=0, end=20000, by_epoch=False),
]
default_hooks = dict(checkpoint=dict(interval=2000))
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(backbone=dict(norm_cfg=norm_cfg), decode_head=dict(norm_cfg=norm_cfg))
