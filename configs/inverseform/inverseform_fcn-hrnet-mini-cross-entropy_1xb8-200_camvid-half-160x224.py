# Cross-entropy alone; every other variant of the comparison differs by what is added to it.
_base_ = '../semeda/semeda_fcn-hrnet-mini-cross-entropy_1xb8-200_camvid-half-160x224.py'
val_evaluator = [
    *_base_.val_evaluator,
    dict(type='mmrefine.BoundaryFScoreMetric', tolerance=(1, 2)),
]
test_evaluator = val_evaluator
