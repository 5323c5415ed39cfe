_base_ = './semeda_deeplabv2-r101-cross-entropy_1xb10-20k_voc-321x321.py'
added = dict(type='mmrefine.SEMEDALoss', edge_net='voc', weights=(1, 0.5, 0.25))
model = dict(decode_head=dict(loss_decode=[_base_.model.decode_head.loss_decode, added]))
