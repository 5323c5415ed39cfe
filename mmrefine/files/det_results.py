"""mmdet's ``results.pkl``, as ``tools/test.py --out`` and ``DumpDetResults`` write it.

A pickle is a program. The one here may make dictionaries, lists, numbers, texts, numpy arrays and
torch tensors, and nothing else: whatever else it names is refused, not imported.
"""

import io
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from .mask_files import MaskFile, MasksOfImage, Replacement

PARTS: dict[tuple[str, str], Callable[..., Any]] = {
    ('collections', 'OrderedDict'): OrderedDict,
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    ('torch', 'Size'): torch.Size,
    ('torch._utils', '_rebuild_tensor_v2'): torch._utils._rebuild_tensor_v2,
    ('_codecs', 'encode'): lambda text, encoding: text.encode('latin1'),
}
NUMPY_PARTS = ('_reconstruct', 'scalar', '_frombuffer')


class _PlainData(pickle.Unpickler):
    """Reads pickles of plain data."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in PARTS:
            return PARTS[module, name]
        if (module, name) == ('torch.storage', '_load_from_bytes'):
            return _storage
        if (
            module.replace('numpy._core', 'numpy.core')
            in (
                'numpy.core.multiarray',
                'numpy.core.numeric',
            )
            and name in NUMPY_PARTS
        ):
            core = np.core if np.__version__ < '2' else np._core  # type: ignore[attr-defined]
            return getattr(getattr(core, module.rpartition('.')[2]), name)
        raise pickle.UnpicklingError(f'it holds {module}.{name}')

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError('it refers to what is not in it')


def _storage(content: bytes) -> Any:
    return torch.load(io.BytesIO(content), map_location='cpu', weights_only=True)


def read_plain_pickle(path: str | os.PathLike) -> Any:
    """Read a pickle of plain data; nothing in it is run.

    Raises:
        ValueError: if it cannot be read, is broken, or holds something else.
    """
    try:
        with open(path, 'rb') as file:
            return _PlainData(file).load()
    except OSError as error:
        raise ValueError(f'{path}: cannot be read: {error.strerror}') from error
    except Exception as error:  # a broken pickle fails in any way
        raise ValueError(
            f'{path}: expected results of mmdet, a pickle of plain data (dictionaries, lists, '
            f'numbers, arrays, tensors), and not read further: {str(error)[:200]}'
        ) from error


class DetResults(MaskFile):
    """Predictions of mmdet; only ``pred_instances['masks']`` change, and stay run lengths.

    Args:
        path: As for ``MaskFile``.
        options: As for ``MaskFile``.

    Raises:
        ValueError: if it holds something else.
    """

    format = 'mmdet'
    words = ('mask', 'masks')
    classes = 'numbers'

    def __init__(self, path: str | os.PathLike, **options: Any) -> None:
        super().__init__(path, **options)
        if self.polygons:
            raise ValueError(f'{path}: results of mmdet have run lengths, no polygons')
        self._samples = read_plain_pickle(path)
        if not isinstance(self._samples, list):
            kind = type(self._samples).__name__
            raise ValueError(f'{path}: expected results of mmdet, a list of images, got a {kind}')
        for number, sample in enumerate(self._samples):
            if not isinstance(sample, dict) or not isinstance(sample.get('img_path'), str):
                raise ValueError(
                    f'{path}: image {number}: expected results of mmdet 3, each a dictionary with '
                    f'img_path and pred_instances, got a {type(sample).__name__}'
                )
        self._places: list[tuple[int, int]] = []

    def images(self) -> list[MasksOfImage]:
        """See ``MaskFile``; places count the masks of all images."""
        found = []
        self._places = []
        for number, sample in enumerate(self._samples):
            instances = sample.get('pred_instances')
            masks = instances.get('masks') if isinstance(instances, dict) else None
            if masks is None:
                self.left_alone['images without masks'] = (
                    self.left_alone.get('images without masks', 0) + 1
                )
                continue
            of_image = MasksOfImage(sample['img_path'])
            for index, mask in enumerate(masks):
                of_image.masks[len(self._places)] = mask
                self._places.append((number, index))
            found.append(of_image)
        return found

    def described(self, place: int) -> tuple[Any, float]:
        """See ``MaskFile``.

        Raises:
            ValueError: if there is no label or no score for each mask.
        """
        number, index = self._places[place]
        instances = self._samples[number]['pred_instances']
        try:
            return int(instances['labels'][index]), float(instances['scores'][index])
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(
                f'{self.path}: image {number}: expected labels and scores of all masks'
            ) from error

    def replacement(self, mask: Any, refined: np.ndarray) -> Replacement:
        """See ``MaskFile``."""
        return dict(masks=self.segmentation(mask, refined))

    def content(self, replacements: Mapping[int, Replacement]) -> bytes:
        """See ``MaskFile``."""
        samples = [dict(sample) for sample in self._samples]
        for place, replacement in replacements.items():
            number, index = self._places[place]
            coded = dict(replacement['masks'])
            before = self._samples[number]['pred_instances']['masks'][index]
            if isinstance(before['counts'], bytes):
                coded['counts'] = coded['counts'].encode()
            instances = samples[number]['pred_instances']
            if instances is self._samples[number]['pred_instances']:
                instances = {**instances, 'masks': list(instances['masks'])}
                samples[number]['pred_instances'] = instances
            instances['masks'][index] = coded
        return pickle.dumps(samples)
