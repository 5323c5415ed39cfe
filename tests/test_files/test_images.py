"""Images of any kind become BGR uint8."""

import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from mmrefine.files.images import (
    choose_bands,
    decode_image,
    from_array,
    from_pil,
    stretch,
)

RGB = np.zeros((5, 7, 3), np.uint8)
RGB[..., 0], RGB[..., 1], RGB[2, 3, 2] = 200, 100, 50
BGR = RGB[..., ::-1]


def saved(image: Image.Image, kind: str, **options) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def tiff(array: np.ndarray, **options) -> bytes:
    tifffile = pytest.importorskip('tifffile')
    content = io.BytesIO()
    tifffile.imwrite(content, array, **options)
    return content.getvalue()


def transparent(alpha: int = 20) -> np.ndarray:
    return np.dstack([RGB, np.full(RGB.shape[:2], alpha, np.uint8)])


@pytest.mark.parametrize('kind', ['PNG', 'TIFF', 'WEBP'])
def test_an_alpha_band_leaves_the_colours_alone(kind):
    options = dict(lossless=True, exact=True) if kind == 'WEBP' else {}
    content = saved(Image.fromarray(transparent()), kind, **options)
    np.testing.assert_array_equal(decode_image(content, 'a'), BGR)


@pytest.mark.parametrize('extra', [0, 1, 2])
def test_a_fourth_band_of_a_tiff_is_left_out_whatever_it_means(extra):
    content = tiff(transparent(), photometric='rgb', extrasamples=[extra])
    np.testing.assert_array_equal(decode_image(content, 'a'), BGR)


@pytest.mark.parametrize('bits', [9, 10, 12, 14, 16])
@pytest.mark.parametrize('kind', ['.png', '.tif'])
def test_sixteen_bit_images_look_alike_however_many_bits_they_use(bits, kind):
    rng = np.random.default_rng(bits)
    grey = rng.integers(0, 256, (40, 60), dtype=np.uint8)
    wide = grey.astype(np.uint16) << (bits - 8)
    for array in (wide, np.dstack([wide] * 3)):
        decoded = decode_image(cv2.imencode(kind, array)[1].tobytes(), 'a')
        # 3: the few values beyond one in a thousand, and rounding.
        assert np.abs(decoded.astype(int) - grey[..., None]).max() <= 3


def test_a_full_range_is_divided_and_a_narrow_one_stretched():
    full = np.linspace(0, 65535, 35).astype(np.uint16).reshape(5, 7)
    np.testing.assert_array_equal(stretch(full), np.rint(full / 257))
    half = np.array([[10000, 50000]], np.uint16)
    np.testing.assert_array_equal(stretch(half), np.rint(half / 257))
    thermal = np.array([[29000, 29500, 30000]], np.uint16)
    np.testing.assert_array_equal(stretch(thermal), [[0, 128, 255]])
    np.testing.assert_array_equal(stretch(thermal.astype(np.int16) - 2**14), [[0, 128, 255]])
    np.testing.assert_array_equal(stretch(np.full((2, 3), 900, np.uint16)), np.zeros((2, 3)))


def test_hot_pixels_do_not_make_an_image_black():
    image = np.full((100, 80), 100, np.uint16)
    image[:, 40:] = 300
    image[3, 4] = 65535
    stretched = stretch(image)
    assert (stretched[10, 0], stretched[10, 79], stretched[3, 4]) == (0, 255, 255)


def test_a_small_bright_object_stays_in_sight():
    image = np.zeros((200, 300), np.uint16)
    image[5:9, 5:9] = 700  # fewer than one pixel in a thousand
    assert stretch(image)[6, 6] == 255


def test_floats_are_stretched_and_what_is_no_number_is_dark():
    image = np.array([[0.0, 0.5, 1.0, np.nan]], np.float32)
    np.testing.assert_array_equal(stretch(image), [[0, 128, 255, 0]])


def test_pil_images():
    np.testing.assert_array_equal(from_pil(Image.fromarray(RGB)), BGR)
    np.testing.assert_array_equal(from_pil(Image.fromarray(transparent())), BGR)
    grey = RGB[..., 0] + RGB[..., 2]
    for mode in ('L', 'LA'):
        found = from_pil(Image.fromarray(grey).convert(mode))
        np.testing.assert_array_equal(found, np.dstack([grey] * 3))
    wide = Image.fromarray(np.array([[0, 300], [600, 900]], np.uint16))
    np.testing.assert_array_equal(from_pil(wide)[..., 1], [[0, 85], [170, 255]])
    with pytest.raises(ValueError, match='PIL image of mode F: expected 8 or 16 bits'):
        from_pil(Image.fromarray(np.zeros((3, 4), np.float32)))


def test_exif_turns_a_pil_image_as_it_turns_its_file():
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[0x0112] = 6
    content = saved(image, 'PNG', exif=exif)
    turned = decode_image(content, 'a')
    assert turned.shape == (7, 5, 3)
    with Image.open(io.BytesIO(content)) as opened:
        np.testing.assert_array_equal(from_pil(opened), turned)


def test_arrays():
    assert from_array(np.ascontiguousarray(BGR)).flags.c_contiguous
    np.testing.assert_array_equal(from_array(BGR), BGR)
    np.testing.assert_array_equal(from_array(transparent()[..., [2, 1, 0, 3]]), BGR)
    grey = RGB[..., 0]
    for array in (grey, grey[..., None]):
        np.testing.assert_array_equal(from_array(array), np.dstack([grey] * 3))
    np.testing.assert_array_equal(
        from_array(BGR.astype(np.uint16) * 4), np.where(BGR == 50, 64, np.rint(BGR * 1.275))
    )


@pytest.mark.parametrize('turned', [np.s_[::-1], np.s_[:, ::-1], np.s_[..., ::-1]])
@pytest.mark.parametrize('shape', [(5, 1, 3), (1, 5, 3), (5, 7, 3)])
def test_views_that_run_backwards_become_plain_arrays(turned, shape):
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)[turned]
    found = from_array(image)
    np.testing.assert_array_equal(found, image)
    assert min(found.strides) > 0


@pytest.mark.parametrize('shape', [(4,), (4, 5, 2), (4, 5, 5), (1, 4, 5, 3), (0, 5, 3)])
def test_arrays_of_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r'image: expected BGR of shape \(H, W, 3\)'):
        from_array(np.zeros(shape, np.uint8))
    with pytest.raises(TypeError, match='image: expected a uint8 array, got float64'):
        from_array(np.zeros((4, 5, 3)))


@pytest.mark.parametrize(
    ('array', 'what'),
    [
        (np.zeros((5, 7), np.float32), 'float32 TIFF, 1 band'),
        (np.zeros((5, 7, 3), np.float64), 'float64 TIFF, 3 bands'),
        (np.zeros((5, 7), np.int32), 'int32 TIFF, 1 band'),
        (np.zeros((5, 7, 5), np.uint8), 'uint8 TIFF, 5 bands'),
        (np.zeros((5, 7, 13), np.uint16), 'uint16 TIFF, 13 bands'),
        (np.zeros((5, 7, 2), np.uint8), 'uint8 TIFF, 2 bands'),
    ],
)
def test_tiffs_that_are_no_photograph_say_what_they_hold(array, what):
    content = tiff(array, photometric='minisblack', planarconfig='contig')
    with pytest.raises(ValueError, match=rf'a.tif: {what}: expected 8 or 16 bits, and 1, 3 or 4'):
        decode_image(content, 'a.tif')


@pytest.mark.parametrize('planes', ['contig', 'separate'])
def test_bands_of_a_tiff(planes):
    array = np.arange(5 * 7 * 6, dtype=np.uint8).reshape(5, 7, 6)
    stored = array if planes == 'contig' else np.moveaxis(array, 2, 0)
    content = tiff(stored, photometric='minisblack', planarconfig=planes)
    np.testing.assert_array_equal(decode_image(content, 'a', (4, 2, 1)), array[..., [0, 1, 3]])
    with pytest.raises(ValueError, match=r'three numbers from 1 to 6, the bands of a, got \(0, 2'):
        decode_image(content, 'a', (0, 2, 3))


def test_bands_of_other_files_and_of_arrays():
    content = saved(Image.fromarray(transparent(7)), 'PNG')
    np.testing.assert_array_equal(decode_image(content, 'a', (1, 2, 3)), BGR)
    assert (decode_image(content, 'a', (4, 4, 4)) == 7).all()
    reflectance = np.stack([RGB[..., 0] * 0, RGB[..., 2] / 50], 2)
    chosen = choose_bands(reflectance, (2, 1, 1))
    expected = np.dstack([RGB[..., 0] * 0] * 2 + [255 * (RGB[..., 2] > 0)])
    np.testing.assert_array_equal(chosen, expected)


def test_what_is_no_image_is_refused():
    for content in (b'', b'GIF', saved(Image.fromarray(RGB), 'TIFF')[:9]):
        with pytest.raises(ValueError, match='a is not an image, or is incomplete'):
            decode_image(content, 'a')


def test_images_that_claim_to_be_too_large_are_named():
    """Not by a line of OpenCV."""
    content = bytearray(cv2.imencode('.png', np.zeros((5, 7, 3), np.uint8))[1].tobytes())
    content[16:24] = (100_000).to_bytes(4, 'big') * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, 'big')
    text = r'^image: a\.png is broken, or larger than the 1073741824 pixels .* 100000x100000 \(h'
    for bands in (None, (3, 2, 1)):
        with pytest.raises(ValueError, match=text):
            decode_image(bytes(content), 'image: a.png', bands)
