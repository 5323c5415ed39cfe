# Cross-entropy on the edges that the edge network finds in the prediction (Figure 2c).
_base_ = './semeda_fcn-hrnet-mini-cross-entropy_1xb8-200_camvid-half-160x224.py'
edge_ce = dict(type='mmrefine.EdgeCrossEntropyLoss', edge_net='camvid', loss_weight=0.05)
model = dict(decode_head=dict(loss_decode=[_base_.model.decode_head.loss_decode, edge_ce]))
