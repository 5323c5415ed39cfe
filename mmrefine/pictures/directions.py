"""Pictures of what SegFix learns and predicts: boundary band and directions over an image.

Colours are those of Okabe and Ito, which people with any colour vision tell apart; arrows say the
same without colour. Legend: H, W = size of the image, Z = zoom.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from ..ops import direction_to_offset, segfix_targets
from ..ops.direction import DIRECTION_VECTORS, check_directions
from ..structures.segfix_fields import PRED_BOUNDARY, PRED_DIRECTION
from .drawing import INK, PAPER, write

# RGB, after Okabe and Ito (2008), with white in place of black, which is lost on dark images; in
# the order that keeps neighbours and opposites furthest apart for any colour vision.
PALETTE_RGB = (
    (230, 159, 0),
    (255, 255, 255),
    (204, 121, 167),
    (213, 94, 0),
    (0, 114, 178),
    (86, 180, 233),
    (240, 228, 66),
    (0, 158, 115),
)
LEGEND_WIDTH = 230
TEXT = 14
ARROW = 13  # pixels of the picture from one arrow to the next


def draw_targets(
    image: np.ndarray,
    label_map: np.ndarray,
    width: float = 5,
    num_directions: int = 8,
    kernel_size: int = 9,
    ignore_index: int = 255,
    zoom: int = 2,
) -> np.ndarray:
    """Draw the targets that SegFix would be trained with.

    Args:
        image: BGR uint8 (H, W, 3).
        label_map: (H, W), any integer dtype.
        width: Width of the band in pixels, the paper's gamma.
        num_directions: m of the paper.
        kernel_size: Size of the Sobel kernel.
        ignore_index: The id of ignored pixels.
        zoom: Pixels of the picture for a pixel of the image.

    Returns:
        BGR uint8 (Z · H or more, Z · W + legend, 3): the image in grey; the band in the colour of
        its directions, with arrows to where labels would be fetched from; ignored pixels hatched.

    Raises:
        ValueError: if the sizes differ or an option is out of range.
    """
    if image.shape[:2] != label_map.shape:
        raise ValueError(
            f'label map: expected the size of the image, {image.shape[0]}x{image.shape[1]} '
            f'(height x width), got {label_map.shape[0]}x{label_map.shape[1]}'
        )
    _, boundary, direction = segfix_targets(
        label_map, width, num_directions, kernel_size, ignore_index
    )
    return draw_directions(
        image, boundary, direction, num_directions, zoom, f'band: within {width:g} px'
    )


def draw_predicted_directions(
    image: np.ndarray, fields: Mapping[str, np.ndarray], num_directions: int = 8, zoom: int = 2
) -> np.ndarray:
    """Draw what a SegFix network says about an image.

    Args:
        image: BGR uint8 (H, W, 3).
        fields: What ``SegFixRefiner.predict_fields`` gives for the image.
        num_directions: m of the paper.
        zoom: Pixels of the picture for a pixel of the image.

    Returns:
        As ``draw_targets``, without ignored pixels; the band is what the network calls
        boundary.

    Raises:
        ValueError: if the sizes differ or an option is out of range.
    """
    boundary = (fields[PRED_BOUNDARY][0] > 0.5).astype(np.uint8)
    direction = fields[PRED_DIRECTION][0]
    return draw_directions(
        image, boundary, direction, num_directions, zoom, 'band: predicted boundary'
    )


def draw_directions(
    image: np.ndarray,
    boundary: np.ndarray,
    direction: np.ndarray,
    num_directions: int,
    zoom: int,
    note: str,
) -> np.ndarray:
    """Draw directions in the boundary band of an image.

    Args:
        image: BGR uint8 (H, W, 3).
        boundary: uint8 (H, W): 1 in the band, 255 where ignored.
        direction: uint8 (H, W), a direction class in the band.
        num_directions: m of the paper.
        zoom: Pixels of the picture for a pixel of the image.
        note: What the band is, for the legend.

    Returns:
        As ``draw_targets``.

    Raises:
        ValueError: if the sizes differ or an option is out of range.
    """
    if zoom < 1:
        raise ValueError(f'zoom: expected 1 or more, got {zoom}')
    if image.shape[:2] != boundary.shape:
        raise ValueError(
            f'boundary: expected the size of the image, {image.shape[:2]}, got {boundary.shape}'
        )
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    colours = direction_colours(num_directions)
    picture = grey.copy()
    band = boundary == 1
    picture[band] = 0.35 * grey[band] + 0.65 * colours[direction[band]]
    picture = _enlarged(picture, zoom)
    ignored = boundary == 255
    _hatch(picture, _enlarged(ignored, zoom))
    _draw_arrows(picture, band, direction_to_offset(direction, num_directions), zoom)
    return _beside(picture, draw_legend(num_directions, note, bool(ignored.any())))


def direction_colours(num_directions: int) -> np.ndarray:
    """BGR uint8 (m, 3): one colour for each of eight sectors, whatever m is."""
    check_directions(num_directions)
    vectors = DIRECTION_VECTORS[num_directions]
    sectors = np.round(np.arctan2(vectors[:, 0], vectors[:, 1]) / (np.pi / 4)).astype(int) % 8
    return np.array(PALETTE_RGB, np.uint8)[sectors, ::-1]


def draw_legend(num_directions: int, note: str, ignored: bool = True) -> np.ndarray:
    """Draw what the colours and arrows mean: BGR uint8 (h, LEGEND_WIDTH, 3)."""
    legend = np.full((330, LEGEND_WIDTH, 3), PAPER, np.uint8)
    write(legend, f'directions, m = {num_directions}', (12, 20), TEXT)
    centre = np.array([138, LEGEND_WIDTH // 2])
    colours = direction_colours(num_directions)
    for number, vector in enumerate(DIRECTION_VECTORS[num_directions]):
        unit = vector / np.linalg.norm(vector)
        start, end, text = centre + 24 * unit, centre + 70 * unit, centre + 90 * unit
        _arrow(legend, start, end, colours[number], 3)
        if num_directions <= 16 or number % 2 == 0:
            write(legend, str(number), (text[1] - 4 * len(str(number)), text[0]), TEXT)
    write(legend, 'arrow: to the interior', (12, 258), TEXT)
    write(legend, note, (12, 280), TEXT)
    if ignored:
        _hatch(legend, _box(legend.shape[:2], 296, 12, 14, 26))
        write(legend, 'ignored', (46, 303), TEXT)
    return legend


def _draw_arrows(picture: np.ndarray, band: np.ndarray, offset: np.ndarray, zoom: int) -> None:
    """Draw an arrow on every so many pixels of the band."""
    step = max(1, round(ARROW / zoom))
    half = 0.4 * step * zoom
    for y in range(step // 2, band.shape[0], step):
        for x in range(step // 2, band.shape[1], step):
            if not band[y, x]:
                continue
            vector = offset[:, y, x] / np.linalg.norm(offset[:, y, x])
            centre = (np.array([y, x]) + 0.5) * zoom
            _arrow(picture, centre - half * vector, centre + half * vector, INK, 1)


def _arrow(
    picture: np.ndarray, start: np.ndarray, end: np.ndarray, colour: np.ndarray | tuple, size: int
) -> None:
    tail, tip = ((round(float(x)), round(float(y))) for y, x in (start, end))
    colours_sizes = [([float(c) for c in colour], size)]
    if size > 1:  # an outline, for light colours on light paper
        colours_sizes.insert(0, ([float(c) for c in INK], size + 2))
    for bgr, thickness in colours_sizes:
        cv2.arrowedLine(picture, tail, tip, bgr, thickness, cv2.LINE_AA, tipLength=0.35)


def _hatch(picture: np.ndarray, where: np.ndarray) -> None:
    rows, columns = np.indices(where.shape)
    lines = (rows + columns) % 8 < 3
    picture[where & lines] = INK
    picture[where & ~lines] = (150, 150, 150)


def _box(size_hw: tuple[int, ...], top: int, left: int, height: int, width: int) -> np.ndarray:
    inside = np.zeros(size_hw[:2], bool)
    inside[top : top + height, left : left + width] = True
    return inside


def _enlarged(array: np.ndarray, zoom: int) -> np.ndarray:
    return array.repeat(zoom, 0).repeat(zoom, 1)


def _beside(picture: np.ndarray, legend: np.ndarray) -> np.ndarray:
    height = max(len(picture), len(legend))
    parts = [
        cv2.copyMakeBorder(part, 0, height - len(part), 0, 0, cv2.BORDER_CONSTANT, value=PAPER)
        for part in (picture, legend)
    ]
    return np.concatenate(parts, axis=1)
