"""SegFix, arXiv 2007.04269: labels of boundary pixels are fetched from the interior."""

from .declaration import Method, Option, share, whole_number

SEGFIX = Method(
    name='segfix',
    model_type='mmrefine.SegFix',
    options=(
        Option('scale', whole_number, 'how far labels are fetched (default: that of the weights)'),
        Option('steps', whole_number, 'most steps along the field (default: that of the weights)'),
        Option('weights', str, 'research (default), or open: trained on openly licensed images'),
        Option(
            'min_confidence',
            share,
            'how sure changes must be, below 1; 0: the most probable direction decides, as '
            'published (default: that of the weights)',
        ),
    ),
    follows_offsets={'min_confidence': 0},
)
