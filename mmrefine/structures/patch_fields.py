"""Names of what BPR's patches carry in a ``SegDataSample``, besides ``gt_sem_seg``.

All are ``PixelData``, batch-free, channel first:

===========  =======  =========  =========================================
field        dtype    data       meaning
===========  =======  =========  =========================================
coarse_mask  uint8    (1, S, S)  the mask to refine: 1 object, 0 background
===========  =======  =========  =========================================
"""

COARSE_MASK = 'coarse_mask'
