# All classes on every supervised layer: what tools/derive_clusters.py runs.
_base_ = [
    '../_base_/models/hs3_r101.py',
    '../_base_/datasets/nyuv2_hs3.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
probe = dict(label_map=list(range(40)), num_classes=40)
stages = _base_.model.auxiliary_head
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(num_classes=40),
    auxiliary_head=[dict(stages[0], **probe), dict(stages[1], **probe)],
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
