# NYUD-v2, 40 classes.
_base_ = './cityscapes_semeda.py'
data_root = 'data/nyuv2/'
crop_size = (480, 640)
train_pipeline = _base_.train_pipeline
train_pipeline[2].scale = (640, 480)
train_pipeline[3].crop_size = crop_size
dataset = dict(_delete_=True, type='mmrefine.NYUv2Dataset', data_root=data_root)
train_dataloader = dict(
    dataset=dict(
        **dataset,
        data_prefix=dict(img_path='images/train', seg_map_path='labels/train'),
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        **dataset,
        data_prefix=dict(img_path='images/test', seg_map_path='labels/test'),
        pipeline=_base_.test_pipeline,
    )
)
test_dataloader = val_dataloader
