"""Names of the released FFNets, and the parts that a name stands for (arXiv 2206.08236).

A name says architecture, stem, up-head and head: ``FFNet-78S-BCC``. A ``d`` before the letters is a
first stage with stride 2, an ``X`` for the head a classifier of ImageNet. ``-mobile`` enlarges
features by copying instead of bilinear interpolation; ``-pre_down`` halves the image first. The
names of the released code, ``segmentation_ffnet78S_BCC_mobile_pre_down``, mean the same.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from .backbones.ffnet_resnet import feature_channels
from .necks.ffnet_up import OUT_CHANNELS

# Architectures of every combination of letters that was released.
GPU = {
    'AAA': '34 50 56 86 101 134 150',
    'ABB': '34 56 86 150',
    'BBB': '86S 150S',
    'CBB': '46N 74N 122N',
    'dAAA': '18 34 50 56 86 101 134 150',
    'dAAC': '18 34 86 150',
    'dBBB': '86S 150S',
    'AAX': '18 34 50 56 86 101 134 150',
    'BBX': '86S 150S',
    'CBX': '46N 74N 122N',
}
MOBILE = {
    'dBBB': '40S 54S 78S 86S',
    'BBX': '40S 54S 78S 86S 150S',
    'CBX': '46NS 74NS 122NS',
}
# For images of half the size: with or without the smoothing that makes them.
MOBILE_HALF = {
    'BBB': '40S 54S 78S 86S 150S',
    'BCC': '40S 54S 78S 86S 150S',
    'CBB': '46NS 74NS 122NS',
    'CCC': '46NS 74NS 122NS',
}
PATTERN = re.compile(
    r'(?:(?:segmentation|classification)_)?ffnet[-_]?(?P<arch>\d+[NS]*)[-_](?P<letters>d?[A-C]{2}[A-CX])'
    r'(?P<mobile>[-_]mobile)?(?P<pre_down>[-_]pre[-_]down)?',
    re.IGNORECASE,
)


class FFNetName(NamedTuple):
    """A name taken apart.

    Attributes:
        arch: Number of layers and family of the backbone, ``'78S'``.
        letters: Stem, up-head and head, with ``d`` before them for a strided first stage.
        mobile: Features are enlarged by copying.
        pre_down: The image is halved first.
    """

    arch: str
    letters: str
    mobile: bool = False
    pre_down: bool = False

    def __str__(self) -> str:
        ends = '-mobile' * self.mobile + '-pre_down' * self.pre_down
        return f'FFNet-{self.arch}-{self.letters}{ends}'

    @property
    def is_classifier(self) -> bool:
        """Whether it has a classifier of images, not a segmentation head."""
        return self.letters.endswith('X')


def _names(table: Mapping[str, str], *flags: bool) -> list[FFNetName]:
    return [
        FFNetName(a, letters, *flags) for letters, archs in table.items() for a in archs.split()
    ]


RELEASED = (
    *_names(GPU),
    *_names(MOBILE, True),
    *_names(MOBILE_HALF, True),
    *_names(MOBILE_HALF, True, True),
)


def parse_name(name: str) -> FFNetName:
    """The released network of a name.

    A name without ``-mobile`` is a mobile network where no other was released: ``FFNet-78S-BCC``.

    Raises:
        ValueError: if the name is none; the message lists names near it.
    """
    match = PATTERN.fullmatch(name) if isinstance(name, str) else None
    if match:
        arch, letters = match['arch'].upper(), match['letters']
        letters = ('d' if len(letters) == 4 else '') + letters[-3:].upper()
        pre_down = bool(match['pre_down'])
        for mobile in (True,) if match['mobile'] else (False, True):
            found = FFNetName(arch, letters, mobile, pre_down)
            if found in RELEASED:
                return found
    near = get_close_matches(str(name), map(str, RELEASED), n=5, cutoff=0.5)
    hint = f'; near it are {", ".join(near)}' if near else ', for example FFNet-78S-BCC'
    raise ValueError(
        f'name: {name!r} is no released FFNet{hint}. Other combinations are built from their '
        'parts, mmrefine.FFNetResNet, mmrefine.FFNetUp and mmrefine.FFNetHead'
    )


def backbone_and_neck(name: FFNetName) -> tuple[dict[str, Any], dict[str, Any]]:
    """Configs of the backbone and of the up-head that a name stands for."""
    stem, up, _ = list(name.letters[-3:])
    backbone = dict(
        type='mmrefine.FFNetResNet',
        arch=name.arch,
        stem=stem,
        first_stride=2 if name.letters.startswith('d') else 1,
        pre_down=name.pre_down,
    )
    neck = dict(
        type='mmrefine.FFNetUp',
        in_channels=list(feature_channels(name.arch)),
        kind=up,
        upsampling='nearest' if name.mobile else 'bilinear',
    )
    return backbone, neck


def segmentation_head(name: FFNetName, num_classes: int) -> dict[str, Any]:
    """Config of the segmentation head that a name stands for."""
    _, up, head = list(name.letters[-3:])
    return dict(
        type='mmrefine.FFNetHead',
        in_channels=list(OUT_CHANNELS[up]),
        kind=head,
        upsampling='nearest' if name.mobile else 'bilinear',
        num_classes=num_classes,
    )
