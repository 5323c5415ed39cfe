"""Offset fields in files: our ``.npz``, and the ``.mat`` files of the released SegFix.

An offset field is int8 (2, H, W), unit offsets (dy, dx), zero off the boundary, as
``SegFixRefiner.predict_offset`` gives it.

* ``.npz``: ``version`` (1) and ``offset``, the field as it is.
* ``.mat``: the released code writes one MATLAB file an image with the variable ``mat``, int64
  (H, W, 2). The last axis is (dy, dx), and the vectors are those of its direction table, not yet
  multiplied by a scale: its scripts multiply by 2 for label maps and by 1 for instance masks when
  they read them. Files whose vectors were multiplied beforehand would be shifted twice as far.
"""

import io
import os
from pathlib import Path

import numpy as np
import scipy.io

from .whole_files import write_whole_file

OFFSET_SUFFIXES = ('.npz', '.mat')
FORMAT_VERSION = 1
MAT_VARIABLE = 'mat'


def write_offset(path: str | os.PathLike, offset: np.ndarray) -> None:
    """Write an offset field.

    Args:
        path: ``.npz`` file.
        offset: int (2, H, W), (dy, dx).

    Raises:
        ValueError: if it is no offset field.
        OSError: if the file cannot be written; nothing is left of it then.
    """
    field = _checked(offset, Path(path))
    content = io.BytesIO()
    np.savez_compressed(content, version=np.int64(FORMAT_VERSION), offset=field)
    write_whole_file(path, content.getvalue())


def read_offset(path: str | os.PathLike) -> np.ndarray:
    """Read an offset field.

    Args:
        path: ``.npz`` as written here, or ``.mat`` as the released SegFix writes it.

    Returns:
        int8 (2, H, W), (dy, dx).

    Raises:
        ValueError: if there is no such file, or it holds no offset field. The text names the
            file, what is expected and what came.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f'{path}: no such offset file')
    if path.suffix == '.npz':
        return _checked(_read_npz(path), path)
    if path.suffix == '.mat':
        return _checked(_read_mat(path), path)
    raise ValueError(f'{path}: expected offsets as .npz or .mat')


def _read_npz(path: Path) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {key: content[key] for key in content.files}
    except Exception as error:  # readers fail in many ways on broken files
        raise ValueError(f'{path}: expected an .npz file, this one is broken or none') from error
    if 'offset' not in arrays or 'version' not in arrays:
        raise ValueError(
            f'{path}: expected the arrays version and offset, got {", ".join(arrays) or "none"}'
        )
    if arrays['version'] != FORMAT_VERSION:
        raise ValueError(
            f'{path}: expected offset format {FORMAT_VERSION}, got {arrays["version"]}; '
            'it comes from another version of mmrefine'
        )
    return arrays['offset']


def _read_mat(path: Path) -> np.ndarray:
    try:
        content = scipy.io.loadmat(path, variable_names=[MAT_VARIABLE])
    except Exception as error:  # readers fail in many ways on broken files
        raise ValueError(f'{path}: expected a MATLAB 5 file, this one is broken or none') from error
    if MAT_VARIABLE not in content:
        raise ValueError(f'{path}: expected a variable {MAT_VARIABLE!r} of shape (H, W, 2)')
    field = np.asarray(content[MAT_VARIABLE])
    if field.ndim != 3 or field.shape[2] != 2:
        raise ValueError(f'{path}: expected {MAT_VARIABLE!r} of shape (H, W, 2), got {field.shape}')
    return field.transpose(2, 0, 1)


def _checked(field: np.ndarray, path: Path) -> np.ndarray:
    if field.ndim != 3 or field.shape[0] != 2 or field.size == 0:
        raise ValueError(f'{path}: expected offsets of shape (2, H, W), got {field.shape}')
    if field.dtype.kind not in 'iuf':
        raise ValueError(f'{path}: expected offsets as numbers, got {field.dtype}')
    with np.errstate(invalid='ignore'):
        whole = field.astype(np.int8)
    if not np.array_equal(whole, field):
        raise ValueError(f'{path}: expected whole-pixel offsets from -128 to 127')
    return np.ascontiguousarray(whole)
