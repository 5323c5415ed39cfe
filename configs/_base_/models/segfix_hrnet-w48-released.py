# What the released HRNet-W48 checkpoint was trained as: BGR images, normalised with the means and
# deviations of RGB; coarser branches enlarged corners on corners.
_base_ = './segfix_hrnet-w48.py'
model = dict(
    data_preprocessor=dict(bgr_to_rgb=False),
    backbone=dict(type='mmrefine.HRNet', align_corners=True),
)
