# The paper's best: second layer, before ReLU.
_base_ = './semeda_fcn-hrnet-mini-cross-entropy_1xb8-200_camvid-half-160x224.py'
semeda = dict(type='mmrefine.SEMEDALoss', edge_net='camvid', weights=(0, 1, 0), loss_weight=4.0)
model = dict(decode_head=dict(loss_decode=[_base_.model.decode_head.loss_decode, semeda]))
