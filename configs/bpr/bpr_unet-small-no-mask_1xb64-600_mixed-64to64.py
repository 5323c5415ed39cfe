# Ablation: without the mask patch, and half as long.
_base_ = './bpr_unet-small_1xb64-1200_mixed-64to64.py'
model = dict(
    data_preprocessor=dict(with_mask=False, contrast_radii=()), backbone=dict(in_channels=3)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type='PolyLR', eta_min=0, power=0.9, begin=100, end=600, by_epoch=False),
]
train_cfg = dict(max_iters=600)
