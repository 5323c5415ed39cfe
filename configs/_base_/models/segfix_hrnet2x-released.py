# What the released HRNet-2x-W20 checkpoints were trained as: BGR images, normalised with the means
# and deviations of RGB; coarser branches enlarged corners on corners.
_base_ = './segfix_hrnet2x.py'
model = dict(data_preprocessor=dict(bgr_to_rgb=False), backbone=dict(align_corners=True))
