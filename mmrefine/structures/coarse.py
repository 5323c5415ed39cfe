"""Where the predictions from before refinement are kept in a data sample.

``RefinementHook`` writes them, ``RefinementGain`` reads them.
"""

COARSE_SEM_SEG = 'coarse_sem_seg'
"""``PixelData`` like mmseg's ``pred_sem_seg``: int64 (1, H, W)."""

COARSE_INSTANCES = 'coarse_instances'
"""``InstanceData`` like mmdet's ``pred_instances``, with the coarse ``masks``."""

COARSE_PANOPTIC_SEG = 'coarse_panoptic_seg'
"""``PixelData`` like mmdet's ``pred_panoptic_seg``: ``sem_seg`` int32 (1, H, W)."""

COARSE_OF = {
    'pred_sem_seg': COARSE_SEM_SEG,
    'pred_panoptic_seg': COARSE_PANOPTIC_SEG,
    'pred_instances': COARSE_INSTANCES,
}
"""Where each prediction is kept."""
