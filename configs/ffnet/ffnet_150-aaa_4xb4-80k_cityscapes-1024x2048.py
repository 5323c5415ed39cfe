# GPU, large.
_base_ = './ffnet_86-abb_4xb4-80k_cityscapes-1024x2048.py'
model = dict(name='FFNet-150-AAA')
