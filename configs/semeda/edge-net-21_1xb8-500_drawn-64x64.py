# As many classes as PASCAL VOC. For any other number, copy this file and change num_classes.
_base_ = [
    '../_base_/datasets/drawn_edge-net.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_500_edge-net.py',
]
num_classes = 21
model = dict(type='mmrefine.SemanticEdgeNet', num_classes=num_classes)
train_dataloader = dict(dataset=dict(num_classes=num_classes))
val_dataloader = dict(dataset=dict(num_classes=num_classes))
test_dataloader = val_dataloader
visualizer = None
randomness = dict(seed=0)
