# The kinds of images that the open weights did not learn from, and no others: with both, every kind
# is measured by weights that never saw one of it. As long as the open weights, in one go.
_base_ = './bpr_lite0-open_1xb60-3k_open-64.py'
twice = [_base_.davis, _base_.more_davis, _base_.people]
twice += [_base_.horses, _base_.salient, _base_.road_scenes]
once = [_base_.sky, _base_.seedlings, _base_.carrots, _base_.blood, _base_.lego]
datasets = [dict(part, polygon_share=0.12) for part in [*twice * 2, *once]]
train_dataloader = dict(dataset=dict(datasets=datasets))
