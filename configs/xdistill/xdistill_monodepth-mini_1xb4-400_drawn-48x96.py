# X-Distill on drawn scenes, from the common start on; the true kinds of surfaces take the place of
# a teacher.
_base_ = './xdistill_monodepth-mini-photometric_1xb4-400_drawn-48x96.py'
model = dict(
    depth_to_seg=dict(
        type='mmrefine.DepthToSegHead', num_groups=4, channels=(16, 32, 32), loss_weight=0.03
    )
)
