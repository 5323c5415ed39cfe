# Mobile, at half the size: images are smoothed and halved first.
_base_ = './ffnet_86-abb_4xb4-80k_cityscapes-1024x2048.py'
model = dict(name='FFNet-78S-BCC-pre_down')
