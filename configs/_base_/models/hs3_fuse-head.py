# What the decode heads of HS3-Fuse have in common. Their stages, classes and norms are those of
# the model that they are put into.
fuse_head = dict(
    _delete_=True,
    type='mmrefine.HS3FuseHead',
    channels=512,
    key_channels=256,
    align_corners=False,
    loss_decode=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
)
