# The kinds of images that the open weights did not learn from, and no others: with both, every kind
# is measured by weights that never saw one of it.
_base_ = './segfix_lite0-open_1xb12-1800_open-192x192.py'
twice = [_base_.davis, _base_.more_davis, _base_.people]
twice += [_base_.horses, _base_.salient, _base_.road_scenes]
once = [_base_.sky, _base_.seedlings, _base_.carrots, _base_.blood, _base_.lego]
train_dataloader = dict(dataset=dict(datasets=[*twice * 2, *once]))
