# HS3; benchmarks/hs3_camvid.py puts the clusters that it derives in place of these.
_base_ = './hs3_fcn-hrnet-mini-plain_1xb8-1k_camvid-half-160x224.py'
stages = _base_.model.auxiliary_head
clusters = dict(label_map=[0, 1, 2, 3, 3, 4, 2, 1, 5, 6, 6])
model = dict(auxiliary_head=[dict(stages[0], **clusters), dict(stages[1], **clusters)])
