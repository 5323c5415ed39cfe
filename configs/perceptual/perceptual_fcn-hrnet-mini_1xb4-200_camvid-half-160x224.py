# Pairs of neighbouring frames, whose predictions shall be consistent: cross-entropy on both, and
# perceptual consistency between them. The trained network predicts as any EncoderDecoder.
_base_ = '../semeda/semeda_fcn-hrnet-mini-cross-entropy_1xb8-200_camvid-half-160x224.py'
model = dict(
    type='mmrefine.VideoPairSegmentor',
    data_preprocessor=dict(type='mmrefine.PairDataPreProcessor'),
    consistency=dict(type='mmrefine.PerceptualConsistencyLoss', loss_weight=0.1),
    features=dict(type='mmrefine.PerceptualFeatures'),
)
train_dataloader = dict(
    batch_size=4,  # pairs
    dataset=dict(
        _delete_=True,
        type='mmrefine.VideoPairDataset',
        dataset=_base_.train_dataloader.dataset,
        gap=1,
    ),
)
val_evaluator = [*_base_.val_evaluator, dict(type='mmrefine.PerceptualConsistencyMetric')]
test_evaluator = val_evaluator
