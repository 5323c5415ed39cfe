# Your own data: change the three lines below. Images and single-channel label maps (PNG, one
# integer a pixel, 255 ignored) of the same names lie in
#   DATA_ROOT/images/{train,val}  and  DATA_ROOT/labels/{train,val}
_base_ = './segfix_hrnet2x_1xb16-20k_camvid-320x320.py'
data_root = 'data/my_data/'
img_suffix = '.jpg'
image_size = (1024, 512)  # width, height that training images are resized to, times 0.5 to 2

crop_size = (512, 512)
train_pipeline = _base_.train_pipeline
train_pipeline[2].scale = image_size
train_pipeline[3].crop_size = crop_size
model = dict(data_preprocessor=dict(size=crop_size))
dataset = dict(
    type='mmseg.BaseSegDataset',
    data_root=data_root,
    img_suffix=img_suffix,
    seg_map_suffix='.png',
)
train_dataloader = dict(
    dataset=dict(
        **dataset,
        data_prefix=dict(img_path='images/train', seg_map_path='labels/train'),
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(**dataset, data_prefix=dict(img_path='images/val', seg_map_path='labels/val'))
)
test_dataloader = val_dataloader
