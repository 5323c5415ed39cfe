# A boundary head with balanced cross-entropy alone, the boundary loss of PIDNet.
_base_ = './inverseform_fcn-hrnet-mini-boundary-head_1xb8-200_camvid-half-160x224.py'
loss = dict(type='mmrefine.BoundaryCrossEntropyLoss', loss_weight=0.3)
model = dict(auxiliary_head=dict(loss_decode=loss))
