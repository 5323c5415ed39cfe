"""BPR, arXiv 2104.05239: patches along the boundary are segmented again."""

from .declaration import Method, Option, share, whole_number, yes_or_no

BPR = Method(
    name='bpr',
    model_type='mmrefine.PatchRefiner',
    options=(
        Option('iou_threshold', share, 'NMS of patches: higher takes more (default 0.25)'),
        Option(
            'min_score_gain',
            share,
            'how sure changes must be beyond that, 0 to 1 (default 0)',
        ),
        Option('weights', str, 'research (default), or open: trained on openly licensed images'),
        Option('batch_size', whole_number, 'patches at a time (default 32)'),
        Option('half', yes_or_no, 'half precision: yes or no (default: on a GPU only)'),
    ),
)
