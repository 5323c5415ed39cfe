# Real label maps: pieces of those in one folder to train with, all of another to validate.
_base_ = './edge-net-11_1xb8-500_drawn-64x64.py'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmrefine.LabelMapDataset',
        data_root='data/camvid/ann_dir/train',
        crop_size=(64, 64),
    ),
)
val_dataloader = dict(
    batch_size=1,
    dataset=dict(
        _delete_=True, type='mmrefine.LabelMapDataset', data_root='data/camvid/ann_dir/val'
    ),
)
test_dataloader = val_dataloader
