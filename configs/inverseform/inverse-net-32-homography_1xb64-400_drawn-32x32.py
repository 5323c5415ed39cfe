# 8 outputs: a homography, for the geodesic distance.
_base_ = './inverse-net-32_1xb64-400_drawn-32x32.py'
model = dict(num_outputs=8)
train_dataloader = dict(dataset=dict(num_outputs=8))
val_dataloader = dict(dataset=dict(num_outputs=8))
test_dataloader = val_dataloader
