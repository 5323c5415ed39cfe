# Real label maps, those of CamVid. For your own, copy this file and change the two folders.
_base_ = './inverse-net-32_1xb64-400_drawn-32x32.py'
train_dataloader = dict(
    dataset=dict(
        label_maps=dict(
            _delete_=True, type='mmrefine.LabelMapDataset', data_root='data/camvid/ann_dir/train'
        ),
    ),
)
val_dataloader = dict(
    dataset=dict(
        label_maps=dict(
            _delete_=True, type='mmrefine.LabelMapDataset', data_root='data/camvid/ann_dir/val'
        ),
    ),
)
test_dataloader = val_dataloader
