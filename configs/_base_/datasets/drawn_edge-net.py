# Label maps drawn at random: no data is needed.
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(type='mmrefine.DrawnLabelMapDataset', length=4000, size_hw=(64, 64), seed=0),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='mmrefine.DrawnLabelMapDataset', length=200, size_hw=(64, 64), seed=1),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmrefine.EdgeFScoreMetric')
test_evaluator = val_evaluator
