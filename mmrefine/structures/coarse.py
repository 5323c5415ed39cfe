"""Where the predictions from before refinement are kept in a data sample.

``RefinementHook`` writes them, ``RefinementGain`` reads them.
"""

COARSE_SEM_SEG = 'coarse_sem_seg'
"""``PixelData`` like mmseg's ``pred_sem_seg``: int64 (1, H, W)."""

COARSE_INSTANCES = 'coarse_instances'
"""``InstanceData`` like mmdet's ``pred_instances``, with the coarse ``masks``."""
