"""NYUD-v2 with 40 classes, which mmseg has for depth only."""

from typing import Any

from mmseg.datasets import BaseSegDataset

from ..registry import DATASETS

CLASSES = (
    'wall', 'floor', 'cabinet', 'bed', 'chair', 'sofa', 'table', 'door', 'window', 'bookshelf',
    'picture', 'counter', 'blinds', 'desk', 'shelves', 'curtain', 'dresser', 'pillow', 'mirror',
    'floor mat', 'clothes', 'ceiling', 'books', 'refrigerator', 'television', 'paper', 'towel',
    'shower curtain', 'box', 'whiteboard', 'person', 'night stand', 'toilet', 'sink', 'lamp',
    'bathtub', 'bag', 'other structure', 'other furniture', 'other prop',
)  # fmt: skip


def _palette(count: int) -> list[list[int]]:
    """Colours that differ in the bits of their label, as those of PASCAL VOC."""
    colours = []
    for label in range(1, count + 1):
        colour = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                colour[channel] |= (label >> (3 * bit + channel) & 1) << (7 - bit)
        colours.append(colour)
    return colours


@DATASETS.register_module()
class NYUv2Dataset(BaseSegDataset):
    """Indoor scenes of NYUD-v2, 640×480: 795 images to train, 654 to test.

    Label maps are PNGs of the 40 classes (Gupta et al., CVPR 2013): 0 is unlabelled and ignored, 1
    to 40 are the classes.

    Args:
        img_suffix, seg_map_suffix: Ends of file names.
        reduce_zero_label: Take 0 as ignored; ``False`` for maps of 0 to 39 and 255.
        **kwargs: Further arguments of mmseg's ``BaseSegDataset``.
    """

    METAINFO = dict(classes=CLASSES, palette=_palette(len(CLASSES)))

    def __init__(
        self,
        img_suffix: str = '.png',
        seg_map_suffix: str = '.png',
        reduce_zero_label: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            img_suffix=img_suffix,
            seg_map_suffix=seg_map_suffix,
            reduce_zero_label=reduce_zero_label,
            **kwargs,
        )
