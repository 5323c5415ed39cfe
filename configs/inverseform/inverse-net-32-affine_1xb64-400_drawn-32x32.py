# 6 outputs: an affine transform.
_base_ = './inverse-net-32_1xb64-400_drawn-32x32.py'
model = dict(num_outputs=6)
train_dataloader = dict(dataset=dict(num_outputs=6))
val_dataloader = dict(dataset=dict(num_outputs=6))
test_dataloader = val_dataloader
