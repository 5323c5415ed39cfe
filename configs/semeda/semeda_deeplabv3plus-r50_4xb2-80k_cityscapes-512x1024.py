_base_ = [
    '../_base_/models/deeplabv3plus_r50.py',
    '../_base_/datasets/cityscapes_semeda.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_80k.py',
]
semeda = dict(type='mmrefine.SEMEDALoss', edge_net='cityscapes')
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(loss_decode=[_base_.model.decode_head.loss_decode, semeda]),
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
