"""Names of what SegFix writes into and reads from a ``SegDataSample``.

All are ``PixelData``, batch-free, channel first:

==================  =========  ============  ==========================================
field               dtype      data          meaning
==================  =========  ============  ==========================================
gt_boundary_map     int64      (1, H, W)     1 on boundary pixels, 255 ignored
gt_direction_map    int64      (1, H, W)     direction class, 255 ignored
pred_boundary       float32    (1, H, W)     probability of being a boundary pixel
pred_direction      uint8      (1, H, W)     most probable direction class
pred_offset         int8       (2, H, W)     unit offset (dy, dx), zero off the boundary
pred_votes          float16    (m, H, W)     probability of boundary times that of each direction
==================  =========  ============  ==========================================

The metainfo ``part_of``, if there is any, says that the sample is a part of a larger image: first
row, first column, height and width of that, in pixels. ``votes_alone`` asks for ``pred_votes`` and
nothing else, which takes less time.
"""

GT_BOUNDARY = 'gt_boundary_map'
GT_DIRECTION = 'gt_direction_map'
PRED_BOUNDARY = 'pred_boundary'
PRED_DIRECTION = 'pred_direction'
PRED_OFFSET = 'pred_offset'
PRED_VOTES = 'pred_votes'
PART_OF = 'part_of'
VOTES_ALONE = 'votes_alone'
