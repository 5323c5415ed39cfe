"""Images that are read by chosen bands, or by a function of the user's."""

import sys

import numpy as np
import pytest
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmrefine.apis import RefinementInferencer
from mmrefine.hooks import RefinementHook
from mmrefine.refiners import Refiner
from mmrefine.refiners.loaders import image_loader

tifffile = pytest.importorskip('tifffile')
SIZE = (12, 17)


def five_bands() -> np.ndarray:
    """Floats: band b has b − 1 on the left and 10 · b on the right."""
    bands = np.stack([np.full(SIZE, n, np.float32) for n in range(5)], 2)
    bands[:, 9:] = 10 * np.arange(1, 6)
    return bands


def read_doubled(path):
    return np.minimum(np.load(path) * 2, 255).astype(np.uint8)


class Seen(Refiner):
    """Keeps the image that it was given."""

    def refine(self, image, masks):
        self.image = image
        return masks


@pytest.fixture
def files(tmp_path):
    tifffile.imwrite(
        tmp_path / 'a.tif', five_bands(), photometric='minisblack', planarconfig='contig'
    )
    np.save(tmp_path / 'a.npy', np.full((*SIZE, 3), 50, np.uint8))
    return tmp_path


def test_bands_in_hook_and_inferencer(files):
    labels = np.zeros(SIZE, np.uint8)
    expected = image_loader(bands=(5, 3, 1))(files / 'a.tif')
    assert expected[0, 0].tolist() == [0, 10, 20]  # 0, 2 and 4 of 0 to 50, BGR
    assert expected[0, -1].tolist() == [51, 153, 255]
    seen = Seen()
    RefinementInferencer(seen, show_progress=False, bands=(5, 3, 1))(files / 'a.tif', labels)
    np.testing.assert_array_equal(seen.image, expected)
    sample = SegDataSample(metainfo=dict(img_path=str(files / 'a.tif')))
    sample.pred_sem_seg = PixelData(data=np.zeros((1, *SIZE), np.int64))
    seen = Seen()
    RefinementHook(seen, bands=(5, 3, 1)).refine_sample(sample)
    np.testing.assert_array_equal(seen.image, expected)


@pytest.mark.parametrize('named', [False, True])
def test_a_loader_in_hook_and_inferencer(files, named, monkeypatch):
    monkeypatch.setitem(sys.modules, 'own_loaders', sys.modules[__name__])
    loader = 'own_loaders:read_doubled' if named else read_doubled
    labels = np.zeros(SIZE, np.uint8)
    seen = Seen()
    RefinementInferencer(seen, show_progress=False, loader=loader)(files / 'a.npy', labels)
    assert (seen.image == 100).all()
    sample = SegDataSample(metainfo=dict(img_path=str(files / 'a.npy')))
    sample.pred_sem_seg = PixelData(data=np.zeros((1, *SIZE), np.int64))
    seen = Seen()
    RefinementHook(seen, loader=loader).refine_sample(sample)
    assert (seen.image == 100).all()


@pytest.mark.parametrize(
    ('options', 'error', 'text'),
    [
        (dict(loader='read'), ValueError, 'expected .module:function., got .read.'),
        (dict(loader='nowhere:read'), ValueError, 'loader: nowhere:read: No module'),
        (dict(loader='os:nothing'), ValueError, 'loader: os:nothing'),
        (dict(loader=3), TypeError, 'expected a function, got int'),
        (dict(loader=len, bands=(1, 2, 3)), ValueError, 'give a loader or bands'),
    ],
)
def test_what_is_no_loader(options, error, text):
    with pytest.raises(error, match=text):
        image_loader(**options)


def test_a_loader_that_gives_something_else():
    with pytest.raises(TypeError, match='expected a BGR uint8 array of a, got str'):
        image_loader(str)('a')
    with pytest.raises(ValueError, match='expected BGR of shape'):
        image_loader(lambda path: np.zeros((4, 5, 7), np.uint8))('a')
