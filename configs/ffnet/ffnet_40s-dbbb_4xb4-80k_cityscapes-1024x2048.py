# Mobile: results at an eighth of the size.
_base_ = './ffnet_86-abb_4xb4-80k_cityscapes-1024x2048.py'
model = dict(name='FFNet-40S-dBBB')
