# Boundaries of label maps drawn at random, moved by known transforms: no data is needed.
tile_size = (32, 32)
train_maps = dict(
    type='mmrefine.DrawnLabelMapDataset',
    num_classes=4,
    length=1000000,
    size_hw=(64, 64),
    seed=0,
)
boundaries = dict(
    type='mmrefine.WarpedBoundaryDataset', tile_size=tile_size, num_outputs=4, boundary_width=2
)
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(label_maps=train_maps, **boundaries),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=0,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(label_maps=dict(train_maps, length=1000, seed=1), seed=1, **boundaries),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmrefine.TransformErrorMetric')
test_evaluator = val_evaluator
