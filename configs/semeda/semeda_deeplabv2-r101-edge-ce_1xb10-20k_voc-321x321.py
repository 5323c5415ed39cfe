# Cross-entropy on predicted edges (Figure 2c).
_base_ = './semeda_deeplabv2-r101-cross-entropy_1xb10-20k_voc-321x321.py'
added = dict(type='mmrefine.EdgeCrossEntropyLoss', edge_net='voc', loss_weight=0.05)
model = dict(decode_head=dict(loss_decode=[_base_.model.decode_head.loss_decode, added]))
