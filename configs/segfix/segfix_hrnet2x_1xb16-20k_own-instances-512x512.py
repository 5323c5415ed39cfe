# Your own instances: change the lines below. COCO annotations and images lie in
#   DATA_ROOT/annotations/{train,val}.json  and  DATA_ROOT/images/{train,val}
_base_ = './segfix_hrnet2x_1xb16-20k_own-data-512x512.py'
data_root = 'data/my_data/'
image_size = (1024, 512)  # width, height that training images are resized to, times 0.5 to 2
# Where some objects of an image are not annotated: pixels this far from any annotated boundary are
# not judged. None: all objects are annotated.
ignore_beyond = None

dataset = dict(_delete_=True, type='mmrefine.CocoInstanceMapDataset', data_root=data_root)
paint = dict(type='mmrefine.PaintInstanceMap')
targets = dict(_base_.targets, ignore_beyond=ignore_beyond)
train_pipeline = _base_.train_pipeline
train_pipeline[1] = paint
train_pipeline[2].scale = image_size
train_pipeline[6] = targets
test_pipeline = _base_.test_pipeline
test_pipeline[1:3] = [paint, targets]
train_dataloader = dict(
    dataset=dict(
        dataset,
        ann_file='annotations/train.json',
        data_prefix=dict(img_path='images/train'),
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        dataset,
        ann_file='annotations/val.json',
        data_prefix=dict(img_path='images/val'),
        pipeline=test_pipeline,
        test_mode=True,
    )
)
test_dataloader = val_dataloader
