# Longer than 1200, with more good masks among the coarse ones, and more photographs. An hour and a
# half on a CPU core. No better (docs/bpr.md); the networks without one source are of this config.
_base_ = './bpr_unet-small_1xb64-1200_mixed-64to64.py'
good = dict(good_share=0.3)
photographs = dict(_base_.photographs, good_share=0.4)
train_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(_base_.davis, **good),
            dict(_base_.davis_made, **good),
            dict(_base_.davis_rough, **good),
            photographs,
            dict(photographs, degradation=dict(strength=3)),
            dict(_base_.nuclei, **good),
            dict(_base_.road_scenes, **good),
            dict(_base_.road_scenes_made, **good),
        ],
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type='PolyLR', eta_min=0, power=0.9, begin=100, end=3000, by_epoch=False),
]
train_cfg = dict(max_iters=3000, val_interval=1000)
