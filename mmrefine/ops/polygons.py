"""Masks → polygons that give them back.

Coordinates are COCO's: pixel (row, column) is the square from (column, row) to (column + 1,
row + 1), so the outline of a mask runs between pixels. Shapely does the geometry.

Shapes: H, W = rows and columns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from .run_lengths import decode_mask

Polygon = list[float]
"""[x1, y1, x2, y2, ...], not closed."""

TOLERANCE = 0.5
LEAST_IOU = 0.995


def mask_polygons(mask: np.ndarray, tolerance: float = TOLERANCE) -> list[Polygon]:
    """The polygons of a mask, without holes: their union is the mask.

    A part with holes is cut through them into parts without, as COCO's polygons have none.

    Args:
        mask: (H, W), anything but 0 is object.
        tolerance: How far the outline may be from the mask's, pixels; 0: every corner of every
            pixel is kept. Less is taken, down to 0, where the polygons would give back less than
            99.5 % of the mask (IoU).

    Returns:
        Empty for an empty mask.

    Raises:
        ImportError: if shapely is not installed.
    """
    return _simplest(
        lambda parts: [_ring(part.exterior) for shape in parts for part in _cut(shape)],
        mask,
        tolerance,
    )


def mask_ring(mask: np.ndarray, tolerance: float = TOLERANCE) -> Polygon:
    """One polygon for a mask of any number of parts and holes, as YOLO's format needs it.

    Parts and holes are joined by seams: lines that are passed twice, there and back.

    Args:
        mask: As for ``mask_polygons``.
        tolerance: As for ``mask_polygons``.

    Returns:
        Empty for an empty mask.
    """
    rings = _simplest(_one_ring, mask, tolerance)
    return rings[0] if rings else []


def _simplest(
    make: Callable[[list[Any]], list[Polygon]], mask: np.ndarray, tolerance: float
) -> list[Polygon]:
    """What is made of the outlines, as simplified as allowed."""
    mask = np.asarray(mask) != 0
    for allowed in (tolerance, tolerance / 2, tolerance / 4):
        polygons = make(outlines(mask, allowed))
        if _iou(polygons, mask) >= LEAST_IOU:
            return polygons
    return make(outlines(mask))


def _one_ring(parts: list[Any]) -> list[Polygon]:
    rings = [
        np.asarray(ring.coords)[:-1]
        for shape in parts
        for ring in (shape.exterior, *shape.interiors)
    ]
    return [_joined(rings).round(2).ravel().tolist()] if rings else []


def outlines(mask: np.ndarray, tolerance: float = 0.0) -> list[Any]:
    """The parts of a mask as shapely polygons with holes.

    Args:
        mask: bool (H, W).
        tolerance: As for ``mask_polygons``; 0 gives the exact outline.
    """
    shapely = _shapely()
    faces = shapely.get_parts(shapely.polygonize(shapely.linestrings(_cracks(mask))))
    if not len(faces):
        return []
    # Faces are parts and the holes in them.
    inside = shapely.get_coordinates(shapely.point_on_surface(faces)).astype(np.int64)
    parts = faces[mask[inside[:, 1], inside[:, 0]]]
    if tolerance:
        # Half way between the corners of pixels, slanted lines are straight.
        halfway = [
            shapely.Polygon(_middles(part.exterior), [_middles(hole) for hole in part.interiors])
            for part in parts
        ]
        simple = shapely.simplify(halfway, tolerance)
        parts = np.where(shapely.is_valid(simple), simple, parts)
    else:
        parts = shapely.simplify(parts, 0)
    return list(shapely.orient_polygons(parts))


def _cracks(mask: np.ndarray) -> np.ndarray:
    """Sides of pixels between object and background, (K, 2, 2): two points (x, y) each."""
    padded = np.pad(mask, 1)
    y, x = np.nonzero(padded[1:] != padded[:-1])
    across = np.stack([np.stack([x - 1, y], 1), np.stack([x, y], 1)], 1)
    y, x = np.nonzero(padded[:, 1:] != padded[:, :-1])
    down = np.stack([np.stack([x, y - 1], 1), np.stack([x, y], 1)], 1)
    return np.concatenate([across, down]).astype(np.float64)


def _middles(ring: Any) -> np.ndarray:
    """A ring through the middles of the sides of pixels that another goes along."""
    corners = np.asarray(ring.coords)
    return (corners[1:] + corners[:-1]) / 2


def _cut(shape: Any) -> Iterator[Any]:
    """A polygon in parts without holes: cut upright through the middle of its first hole."""
    shapely = _shapely()
    if not shape.interiors:
        yield shape
        return
    left, top, right, bottom = shape.bounds
    hole_left, _, hole_right, _ = shape.interiors[0].bounds
    x = (hole_left + hole_right) / 2
    # Between pixels, where that goes through the hole: what is cut is put together exactly.
    x = round(x) if hole_left < round(x) < hole_right else x
    for sides in ((left, top, x, bottom), (x, top, right, bottom)):
        for part in shapely.get_parts(shape.intersection(shapely.box(*sides))):
            if part.geom_type == 'Polygon' and part.area:
                yield from _cut(part)


def _ring(ring: Any) -> Polygon:
    return np.asarray(ring.coords)[:-1].round(2).ravel().tolist()


def _joined(rings: list[np.ndarray]) -> np.ndarray:
    """One ring (K, 2) of several: each is entered from the nearest point of another, and left."""
    seams = _seams(rings)
    detours: dict[int, dict[int, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    # What was joined last has nothing that hangs on it.
    for seam in reversed(seams):
        path = _path(rings[seam.ring], seam.there, detours[seam.ring])
        detours[seam.parent][seam.here].append(path)
    return _path(rings[0], 0, detours[0])[:-1]


def _path(points: np.ndarray, start: int, detours: Mapping[int, list[np.ndarray]]) -> np.ndarray:
    """A ring from one of its points around to it, with detours at some points."""
    pieces = []
    for index in (*range(start, len(points)), *range(start)):
        point = points[index : index + 1]
        pieces.append(point)
        for detour in detours.get(index, ()):
            pieces += [detour, point]
    return np.concatenate([*pieces, points[start : start + 1]])


class _Seam(NamedTuple):
    """How a ring is joined: from point ``here`` of its parent to its own point ``there``."""

    ring: int
    parent: int
    here: int
    there: int


def _seams(rings: list[np.ndarray]) -> list[_Seam]:
    """The shortest seams that join all rings to the first, in the order of joining."""
    points = np.concatenate(rings)
    ends = np.cumsum([len(ring) for ring in rings])
    starts = ends - [len(ring) for ring in rings]
    nearest = np.full(len(points), np.inf)
    parent, here = np.zeros((2, len(points)), np.int64)
    left, new = set(range(1, len(rings))), 0
    seams = []
    while left:
        distance, index = cKDTree(rings[new]).query(points)
        closer = distance < nearest
        nearest[closer], parent[closer], here[closer] = distance[closer], new, index[closer]
        nearest[starts[new] : ends[new]] = -1  # joined: nothing is closer
        place = int(np.where(nearest < 0, np.inf, nearest).argmin())
        new = int(np.searchsorted(ends, place, side='right'))
        seams.append(_Seam(new, int(parent[place]), int(here[place]), place - int(starts[new])))
        left.remove(new)
    return seams


def _iou(polygons: list[Polygon], mask: np.ndarray) -> float:
    """IoU of a mask and what its polygons give back."""
    if not polygons:
        return float(not mask.any())
    back = decode_mask(polygons, (mask.shape[0], mask.shape[1]))
    return np.count_nonzero(back & mask) / max(np.count_nonzero(back | mask), 1)


def _shapely() -> Any:
    try:
        import shapely
    except ImportError as error:
        raise ImportError('polygons need shapely; install it with "pip install shapely"') from error
    return shapely
