# 1,500 iterations more than the weights that come with the package, an hour on a CPU core: no
# better (docs/segfix.md).
_base_ = './segfix_hrnet2x-small_1xb8-1k_mixed-192x192.py'
load_from = 'work_dirs/segfix_hrnet2x-small_1xb8-1k_mixed-192x192/iter_1000.pth'
train_cfg = dict(max_iters=1500, val_interval=500)
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=1500, by_epoch=False)]
