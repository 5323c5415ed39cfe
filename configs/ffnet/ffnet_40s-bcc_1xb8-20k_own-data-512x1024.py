# Your own data: change the lines below. Images and single-channel label maps (PNG, one integer a
# pixel, 255 ignored) of the same names lie in
#   DATA_ROOT/images/{train,val}  and  DATA_ROOT/labels/{train,val}
_base_ = './ffnet_86-abb_4xb4-80k_cityscapes-1024x2048.py'
data_root = 'data/my_data/'
img_suffix = '.jpg'
classes = ('background', 'stem', 'leaf', 'fruit')
image_size = (1024, 512)  # width, height that training images are resized to, times 0.5 to 2

crop_size = (512, 1024)
train_pipeline = _base_.train_pipeline
train_pipeline[2].scale = image_size
train_pipeline[3].crop_size = crop_size
model = dict(
    name='FFNet-40S-BCC',
    num_classes=len(classes),
    norm_cfg=dict(type='BN'),
    data_preprocessor=dict(size=crop_size),
)
dataset = dict(
    _delete_=True,
    type='mmseg.BaseSegDataset',
    data_root=data_root,
    img_suffix=img_suffix,
    seg_map_suffix='.png',
    metainfo=dict(classes=classes),
)
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        **dataset,
        data_prefix=dict(img_path='images/train', seg_map_path='labels/train'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(
        **dataset,
        data_prefix=dict(img_path='images/val', seg_map_path='labels/val'),
        pipeline=_base_.test_pipeline,
    )
)
test_dataloader = val_dataloader
train_cfg = dict(max_iters=20000, val_interval=2000)
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=20000, by_epoch=False)]
default_hooks = dict(checkpoint=dict(interval=2000))
