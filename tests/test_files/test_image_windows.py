"""Windows of large TIFFs hold what the whole image holds."""

import numpy as np
import pytest

from mmrefine.apis import build_refiner
from mmrefine.cli import main
from mmrefine.files import image_windows
from mmrefine.files.image_windows import open_windows
from mmrefine.refiners import base, load_image
from mmrefine.refiners.loaders import image_loader

tifffile = pytest.importorskip('tifffile')
pytest.importorskip('imagecodecs')
SIZE = (150, 213)  # which 16 and 64 do not divide
TILES = dict(tile=(64, 48), compression=8, predictor=2)
# WGS 84, 0.5 degrees a pixel, from 10 east and 50 north
GEO = [
    (33550, 12, 3, (0.5, 0.5, 0.0), True),
    (33922, 12, 6, (0.0, 0.0, 0.0, 10.0, 50.0, 0.0), True),
    (34735, 3, 16, (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326), True),
]


@pytest.fixture(autouse=True)
def every_image_is_large(monkeypatch):
    monkeypatch.setattr(image_windows, 'WHOLE', 0)
    monkeypatch.setattr(image_windows, 'PART', 5000)


def values(*bands, dtype=np.uint8, most=256):
    return np.random.default_rng(3).integers(0, most, (*SIZE, *bands)).astype(dtype)


KINDS = {
    'tiles': (values(3), dict(photometric='rgb', **TILES), None),
    'strips': (values(3), dict(photometric='rgb', rowsperstrip=7), None),
    'one strip': (values(3), dict(photometric='rgb'), None),
    'LZW': (values(3), dict(photometric='rgb', rowsperstrip=7, compression=5), None),
    'JPEG': (values(3), dict(photometric='ycbcr', tile=(64, 48), compression=7), None),
    'grey': (values(), TILES, None),
    'alpha': (values(4), dict(photometric='rgb', extrasamples=['unassalpha'], **TILES), None),
    'near infrared': (values(4), dict(photometric='rgb', extrasamples=[0], **TILES), None),
    '10 bits': (values(3, dtype=np.uint16, most=900), dict(photometric='rgb', **TILES), None),
    '12 bits, grey': (values(dtype=np.uint16, most=3000), dict(rowsperstrip=16), None),
    'bands': (values(6, dtype=np.uint16, most=3000), dict(planarconfig='contig', **TILES),
        (5, 3, 1)),
    'planes': (
        np.moveaxis(values(5), 2, 0), dict(planarconfig='separate', photometric='minisblack',
        **TILES), (2, 1, 2)
    ),
}  # fmt: skip


@pytest.mark.parametrize('kind', KINDS)
def test_windows_hold_what_the_whole_image_holds(tmp_path, kind):
    array, options, bands = KINDS[kind]
    tifffile.imwrite(tmp_path / 'a.tif', array, **options)
    whole = load_image(tmp_path / 'a.tif', bands)
    windows = open_windows(tmp_path / 'a.tif', bands)
    assert windows is not None
    assert windows.shape == whole.shape == (*SIZE, 3)
    assert np.ptp(whole) > 200
    rng = np.random.default_rng(0)
    for _ in range(20):
        (top, bottom), (left, right) = (np.sort(rng.integers(0, side, 2)) for side in SIZE)
        window = slice(top, bottom + 1), slice(left, right + 40)  # beyond the last column, too
        np.testing.assert_array_equal(windows[window], whole[window])
    np.testing.assert_array_equal(np.asarray(windows), whole)
    windows.close()


def test_others_are_read_as_a_whole(tmp_path):
    colours = np.zeros((3, 256), np.uint16)
    for name, array, options in (
        ('float', values().astype(np.float32), {}),
        ('palette', values(), dict(photometric='palette', colormap=colours)),
        ('turned', values(3), dict(photometric='rgb', extratags=[(274, 3, 1, 6, True)])),
        ('negative', values(), dict(photometric='miniswhite')),
    ):
        tifffile.imwrite(tmp_path / f'{name}.tif', array, **options)
        assert open_windows(tmp_path / f'{name}.tif') is None, name
    tifffile.imwrite(tmp_path / 'cut.tif', values(3), photometric='rgb', rowsperstrip=7)
    content = (tmp_path / 'cut.tif').read_bytes()
    (tmp_path / 'cut.tif').write_bytes(content[:200])
    assert open_windows(tmp_path / 'cut.tif') is None
    tifffile.imwrite(tmp_path / 'bands.tif', values(3), photometric='rgb')
    assert open_windows(tmp_path / 'bands.tif', (4, 2, 1)) is None


def scene():
    """An image with squares, and a label map of them 3 px off, uint16."""
    image, labels = np.full((*SIZE, 3), 60, np.uint8), np.zeros(SIZE, np.uint16)
    for number, (y, x) in enumerate(((20, 20), (20, 120), (90, 60), (95, 160)), 300):
        image[y : y + 40, x : x + 40] = (200, 120 + number % 7, 40)
        labels[y + 3 : y + 43, x + 3 : x + 43] = number
    noise = np.random.default_rng(0).integers(0, 25, image.shape).astype(np.uint8)
    return image + noise, labels


@pytest.mark.parametrize('method', ['segfix', 'bpr'])
def test_georeferenced_files_are_refined_by_windows(tmp_path, monkeypatch, method):
    image, labels = scene()
    expected = build_refiner(method, device='cpu').refine(image[..., ::-1], labels)
    for name, array, options in (
        ('image', image, dict(photometric='rgb', compression=8, rowsperstrip=20)),
        ('labels', labels, TILES),
    ):
        tifffile.imwrite(tmp_path / f'{name}.tif', array, extratags=GEO, **options)
    monkeypatch.setattr(base, 'decode_image', None)  # what reads the whole image
    paths = [str(tmp_path / name) for name in ('image.tif', 'labels.tif', 'out.tif')]
    assert main(['refine', 'label-maps', *paths, '--method', method, '--device', 'cpu']) == 0
    refined = tifffile.imread(tmp_path / 'out.tif')
    assert refined.dtype == labels.dtype
    assert np.count_nonzero(refined != labels) > 50
    np.testing.assert_array_equal(refined, expected)
    with tifffile.TiffFile(tmp_path / 'out.tif') as file:
        page = file.pages[0]
        assert (page.tilelength, page.tilewidth, int(page.compression)) == (64, 48, 8)
        for code, _, _, value, _ in GEO:
            assert page.tags[code].value == value


def test_only_who_looks_at_windows_gets_them(tmp_path):
    tifffile.imwrite(tmp_path / 'a.tif', values(3), photometric='rgb')
    assert isinstance(image_loader()(tmp_path / 'a.tif'), np.ndarray)
    windows = image_loader(by_windows=True)(tmp_path / 'a.tif')
    assert isinstance(windows, image_windows.ImageWindows)
    assert load_image(windows) is windows
    windows.close()
