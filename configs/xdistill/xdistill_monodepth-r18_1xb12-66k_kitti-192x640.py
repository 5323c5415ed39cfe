# X-Distill on KITTI; the teacher is a network trained on Cityscapes, its file yours to name.
_base_ = './xdistill_monodepth-r18-photometric_1xb12-66k_kitti-192x640.py'
model = dict(
    depth_to_seg=dict(type='mmrefine.DepthToSegHead', num_groups=7, loss_weight=0.01),
    teacher=dict(
        type='mmrefine.SegmentationTeacher',
        config='{{ fileDirname }}/../_base_/models/deeplabv3plus_r50.py',
        checkpoint='data/teacher_cityscapes.pth',
        groups='cityscapes',
    ),
)
