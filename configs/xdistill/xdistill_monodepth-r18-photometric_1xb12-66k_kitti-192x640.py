# Monodepth2 on KITTI, without a teacher.
_base_ = [
    '../_base_/models/monodepth_r18.py',
    '../_base_/datasets/kitti_xdistill.py',
    '../_base_/schedules/schedule_66k_depth.py',
    '../_base_/default_runtime.py',
]
