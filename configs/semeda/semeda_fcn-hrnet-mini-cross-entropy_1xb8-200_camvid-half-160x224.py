# Cross-entropy alone; every other variant of the comparison differs by its loss only.
_base_ = './semeda_fcn-hrnet-mini-start_1xb8-1k_camvid-half-160x224.py'
load_from = 'work_dirs/semeda_fcn-hrnet-mini-start_1xb8-1k_camvid-half-160x224/iter_1000.pth'
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_iters=200, val_interval=100)
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=200, by_epoch=False)]
