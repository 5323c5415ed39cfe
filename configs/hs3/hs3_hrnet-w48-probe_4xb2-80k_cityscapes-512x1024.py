# All classes on every supervised layer: what tools/derive_clusters.py runs.
_base_ = [
    '../_base_/models/hs3_hrnet-w48.py',
    '../_base_/datasets/cityscapes_semeda.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(data_preprocessor=dict(size=_base_.crop_size))
optim_wrapper = dict(optimizer=dict(lr=0.01))
