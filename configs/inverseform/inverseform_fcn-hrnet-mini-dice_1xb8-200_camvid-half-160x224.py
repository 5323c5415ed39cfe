# mmseg's Dice loss.
_base_ = './inverseform_fcn-hrnet-mini-cross-entropy_1xb8-200_camvid-half-160x224.py'
added = dict(type='mmseg.DiceLoss', use_sigmoid=False)
model = dict(decode_head=dict(loss_decode=[_base_.model.decode_head.loss_decode, added]))
