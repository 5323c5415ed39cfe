"""Optical flow between two frames, and what lies where in the other frame.

Shape legend: H, W = frame. Flow is (dx, dy) in pixels, as OpenCV has it.
"""

from __future__ import annotations

import cv2
import numpy as np

PRESETS = {
    'ultrafast': cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    'fast': cv2.DISOPTICAL_FLOW_PRESET_FAST,
    'medium': cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


def optical_flow(frame: np.ndarray, other: np.ndarray, preset: str = 'medium') -> np.ndarray:
    """Where each pixel of ``frame`` lies in ``other``, by OpenCV's DIS method.

    Args:
        frame: (H, W, 3) BGR uint8.
        other: (H, W, 3) BGR uint8.
        preset: ``'ultrafast'``, ``'fast'`` or ``'medium'``, the most exact.

    Returns:
        float32 (H, W, 2): pixel (y, x) of ``frame`` is at (x + flow[0], y + flow[1]) in ``other``.

    Raises:
        TypeError: if a frame is not uint8.
        ValueError: if a frame is not (H, W, 3), sizes differ, or the preset is unknown.
    """
    if preset not in PRESETS:
        raise ValueError(f'preset: must be one of {", ".join(PRESETS)}, got {preset!r}')
    for name, array in (('frame', frame), ('other', other)):
        if array.dtype != np.uint8:
            raise TypeError(f'{name}: must be uint8, got {array.dtype}')
        if array.ndim != 3 or array.shape[2] != 3:
            raise ValueError(f'{name}: must be BGR (H, W, 3), got {array.shape}')
    if frame.shape != other.shape:
        raise ValueError(
            f'frame and other: must be of one size, got {frame.shape[:2]} and {other.shape[:2]}'
        )
    grey = [cv2.cvtColor(array, cv2.COLOR_BGR2GRAY) for array in (frame, other)]
    # The method's coarsest level cannot be smaller than one of its 8-pixel patches.
    height, width = frame.shape[:2]
    missing = [max(0, 16 - size) for size in (height, width)]
    if any(missing):
        grey = [
            cv2.copyMakeBorder(g, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE) for g in grey
        ]
    nothing_known = np.zeros((*grey[0].shape, 2), np.float32)
    flow = cv2.DISOpticalFlow.create(PRESETS[preset]).calc(grey[0], grey[1], nothing_known)
    return np.ascontiguousarray(flow[:height, :width])


def warp_labels(labels: np.ndarray, flow: np.ndarray, outside: int = 255) -> np.ndarray:
    """The labels of the other frame, each at the pixel of this frame that flow leads from.

    Args:
        labels: (H, W) of any integer dtype or bool, of the other frame.
        flow: float32 (H, W, 2), from this frame to the other.
        outside: Label of pixels that flow leads out of the other frame.

    Returns:
        (H, W), same dtype. By the nearest pixel: no label is made up.

    Raises:
        ValueError: if sizes differ.
    """
    rows, columns, inside = _targets(labels, flow)
    found = labels[np.rint(rows).astype(np.intp), np.rint(columns).astype(np.intp)]
    found[~inside] = outside
    return found


def warp_values(values: np.ndarray, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values of the other frame, each at the pixel of this frame that flow leads from.

    Args:
        values: float32 (H, W) or (H, W, C), of the other frame.
        flow: float32 (H, W, 2), from this frame to the other.

    Returns:
        Values between pixels by bilinear interpolation, float32 like ``values``; and bool (H, W),
        False where flow leads out of the other frame.

    Raises:
        ValueError: if sizes differ.
    """
    rows, columns, inside = _targets(values, flow)
    found = cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(values.shape), inside


def _targets(array: np.ndarray, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row and column that each pixel leads to, clipped to the frame, and whether it was inside."""
    if array.shape[:2] != flow.shape[:2] or flow.ndim != 3 or flow.shape[2] != 2:
        raise ValueError(
            'flow: must be (H, W, 2) with the size of what is warped, got '
            f'{flow.shape} for {array.shape}'
        )
    height, width = array.shape[:2]
    columns = np.arange(width, dtype=np.float32) + flow[..., 0]
    rows = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    inside = (rows > -0.5) & (rows < height - 0.5) & (columns > -0.5) & (columns < width - 0.5)
    return rows.clip(0, height - 1), columns.clip(0, width - 1), inside
