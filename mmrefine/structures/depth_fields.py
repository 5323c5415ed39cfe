"""Names of what depth models write into and read from a ``SegDataSample``.

The maps are ``PixelData``, batch-free, channel first; the others are metadata.

==============  ========  ============  =====================================================
field           dtype     data          meaning
==============  ========  ============  =====================================================
gt_frames       uint8     (3 F, H, W)   target frame and its neighbours, BGR, not augmented
gt_depth_map    float32   (1, H, W)     true depth, 0 where it is not known
gt_sem_seg      int64     (1, H, W)     labels of the target frame, 255 ignored
pred_depth_map  float32   (1, H, W)     predicted depth, up to one factor an image
intrinsics      float32   (3, 3)        of the camera, in pixels of the frames as packed
frame_offsets   int       F             0 for the target, then e.g. -1 and 1
==============  ========  ============  =====================================================
"""

GT_FRAMES = 'gt_frames'
GT_DEPTH = 'gt_depth_map'
PRED_DEPTH = 'pred_depth_map'
INTRINSICS = 'intrinsics'
FRAME_OFFSETS = 'frame_offsets'
