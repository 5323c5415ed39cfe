# InverseForm on the boundaries of the class probabilities.
_base_ = './inverseform_fcn-hrnet-mini-cross-entropy_1xb8-200_camvid-half-160x224.py'
added = dict(type='mmrefine.InverseFormLoss', boundary='classes', loss_weight=0.3)
model = dict(decode_head=dict(loss_decode=[_base_.model.decode_head.loss_decode, added]))
