# X-Distill on drawn scenes; the true kinds of their surfaces take the place of a teacher.
_base_ = './xdistill_monodepth-mini-photometric_1xb4-1200_drawn-48x96.py'
model = dict(
    depth_to_seg=dict(
        type='mmrefine.DepthToSegHead', num_groups=4, channels=(16, 32, 32), loss_weight=0.01
    )
)
