# Ablation: boundary width (the paper's gamma) infinite: every pixel is boundary.
_base_ = './segfix_hrnet2x_4xb4-80k_cityscapes-512x512.py'
# There is nothing for the boundary branch to learn: every pixel counts as boundary.
model = dict(decode_head=dict(boundary_threshold=-1))
val_evaluator = dict(threshold=-1)
test_evaluator = val_evaluator
targets = dict(type='mmrefine.GenerateBoundaryDirection', width=None, num_directions=8)
train_pipeline = [*_base_.train_pipeline[:-2], targets, _base_.train_pipeline[-1]]
test_pipeline = [*_base_.test_pipeline[:-2], targets, _base_.test_pipeline[-1]]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
