"""Label maps are read as what they mean and come back in the same form."""

import contextlib
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from mmrefine.files.label_maps import LabelMap, read_label_map, resized_labels, write_label_map

LABELS = np.array([[0, 1, 1, 3], [2, 2, 0, 3], [3, 0, 1, 1]], np.uint8)
COLOURS = bytes([0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 8, 7])


def png_bytes(samples: np.ndarray, depth: int, colour_type: int, *chunks: tuple[bytes, bytes]):
    """Encode a PNG by the specification: samples (H, W) of ``depth`` bits, no filter."""
    rows = []
    for row in samples:
        bits = ''.join(f'{int(value):0{depth}b}' for value in row)
        bits += '0' * (-len(bits) % 8)
        rows.append(b'\0' + int(bits, 2).to_bytes(len(bits) // 8, 'big'))
    height, width = samples.shape
    header = struct.pack('>IIBBBBB', width, height, depth, colour_type, 0, 0, 0)
    parts = [(b'IHDR', header), *chunks, (b'IDAT', zlib.compress(b''.join(rows))), (b'IEND', b'')]
    encoded = b'\x89PNG\r\n\x1a\n'
    for kind, data in parts:
        crc = zlib.crc32(kind + data)
        encoded += struct.pack('>I', len(data)) + kind + data + struct.pack('>I', crc)
    return encoded


def header_and_palette(path: Path) -> tuple[int, int, bytes | None]:
    """Bit depth, colour type and palette of a PNG, chunk by chunk."""
    content, place, palette = path.read_bytes(), 8, None
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], 'big')
        kind, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        if kind == b'IHDR':
            depth, colour_type = data[8], data[9]
        if kind == b'PLTE':
            palette = data
        place += 12 + length
    return depth, colour_type, palette


def rewritten(path: Path, labels: np.ndarray | None = None) -> Path:
    """Read a label map and write it (or other labels in its form) to a second file."""
    form = read_label_map(path)
    target = path.with_name(f'second{path.suffix}')
    write_label_map(target, form.labels if labels is None else labels, form)
    return target


def test_palette_png_is_read_as_indices_and_keeps_its_palette(tmp_path):
    path = tmp_path / 'a.png'
    path.write_bytes(png_bytes(LABELS, 8, 3, (b'PLTE', COLOURS)))
    assert np.array_equal(read_label_map(path).labels, LABELS)
    second = rewritten(path, LABELS[::-1].copy())
    assert np.array_equal(np.asarray(Image.open(second)), LABELS[::-1])
    _, colour_type, palette = header_and_palette(second)
    assert colour_type == 3
    assert palette[: len(COLOURS)] == COLOURS


def test_palette_png_keeps_transparency(tmp_path):
    path = tmp_path / 'a.png'
    path.write_bytes(png_bytes(LABELS, 8, 3, (b'PLTE', COLOURS), (b'tRNS', b'\0\x80\xff\xff')))
    before = np.asarray(Image.open(path).convert('RGBA'))
    assert np.array_equal(np.asarray(Image.open(rewritten(path)).convert('RGBA')), before)
    assert set(before[..., 3].ravel()) == {0, 128, 255}


@pytest.mark.parametrize('depth', [2, 4])
def test_small_palette_png(tmp_path, depth):
    path = tmp_path / 'a.png'
    path.write_bytes(png_bytes(LABELS, depth, 3, (b'PLTE', COLOURS)))
    assert np.array_equal(read_label_map(path).labels, LABELS)
    assert np.array_equal(read_label_map(rewritten(path)).labels, LABELS)


@pytest.mark.parametrize('depth', [2, 4])
def test_grey_png_of_few_bits_is_read_as_stored(tmp_path, depth):
    path = tmp_path / 'a.png'
    path.write_bytes(png_bytes(LABELS, depth, 0))
    assert not np.array_equal(cv2.imread(str(path), -1), LABELS), 'OpenCV stretches them to 255'
    assert np.array_equal(read_label_map(path).labels, LABELS)
    assert np.array_equal(cv2.imread(str(rewritten(path)), -1), LABELS)


@pytest.mark.parametrize(('dtype', 'depth'), [(np.uint8, 8), (np.uint16, 16)])
def test_grey_png(tmp_path, dtype, depth):
    labels = LABELS.astype(dtype)
    labels[1, 2] = np.iinfo(dtype).max
    path = tmp_path / 'a.png'
    path.write_bytes(png_bytes(labels, depth, 0))
    form = read_label_map(path)
    assert form.labels.dtype == dtype
    assert np.array_equal(form.labels, labels)
    second = rewritten(path)
    assert header_and_palette(second)[:2] == (depth, 0)
    again = cv2.imread(str(second), -1)
    assert again.dtype == dtype
    assert np.array_equal(again, labels)


def test_one_bit_png(tmp_path):
    mask = (LABELS > 1).astype(np.uint8)
    path = tmp_path / 'a.png'
    path.write_bytes(png_bytes(mask, 1, 0))
    assert np.array_equal(read_label_map(path).labels, mask)
    second = rewritten(path)
    assert header_and_palette(second)[0] == 1
    assert np.array_equal(np.asarray(Image.open(second)), mask.astype(bool))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(
        [np.uint8, np.uint16, np.int16, np.int32, np.uint32, np.int64, np.bool_]
    ).flatmap(lambda dtype: arrays(dtype, st.tuples(st.integers(1, 5), st.integers(1, 7))))
)
def test_arrays_survive_a_round_trip(tmp_path_factory, labels):
    folder = tmp_path_factory.mktemp('round')
    np.save(folder / 'a.npy', labels)
    names = ['a.npy']
    if labels.dtype in (np.uint8, np.uint16):
        Image.fromarray(labels).save(folder / 'a.png')
        names.append('a.png')
    for name in names:
        form = read_label_map(rewritten(folder / name))
        assert form.labels.dtype == labels.dtype
        assert np.array_equal(form.labels, labels)


@pytest.mark.parametrize('name', ['palette.png', 'grey.png', 'a.npy'])
def test_cut_off_file_is_refused_wherever_it_ends(tmp_path, name):
    path = tmp_path / name
    if name == 'a.npy':
        np.save(path, LABELS)
    else:
        rng = np.random.default_rng(0)
        labels = rng.integers(0, 4, (40, 50), dtype=np.uint8)
        kind, chunks = (3, [(b'PLTE', COLOURS)]) if name == 'palette.png' else (0, [])
        path.write_bytes(png_bytes(labels, 8, kind, *chunks))
    content = path.read_bytes()
    whole = read_label_map(path).labels
    accepted = []
    for end in [*range(0, len(content) - 30, 13), *range(len(content) - 30, len(content))]:
        path.write_bytes(content[:end])
        try:
            accepted.append(read_label_map(path).labels)
        except ValueError as error:
            assert str(error).startswith(f'{path}: ')  # noqa: PT017 - some may be accepted
    assert len(accepted) <= 24, 'those that lack the checksum and the end chunk only'
    for labels in accepted:
        assert np.array_equal(labels, whole)


@contextlib.contextmanager
def named_errors(path):
    """Let a ValueError pass that names the file; any other error fails the test."""
    try:
        yield
    except ValueError as error:
        if str(path) not in str(error):
            raise


@settings(max_examples=40, deadline=None)
@given(st.data())
@pytest.mark.parametrize('suffix', ['.png', '.npy'])
def test_damaged_file_is_refused_or_read(tmp_path_factory, suffix, data):
    path = tmp_path_factory.mktemp('damaged') / f'a{suffix}'
    write_label_map(path, LABELS, LabelMap(LABELS, COLOURS if suffix == '.png' else None))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with named_errors(path):
        found = read_label_map(path).labels
        assert found.ndim == 2
        assert found.size
        assert found.dtype.kind in 'iub'


PAINT = np.array([[0, 0, 0], [255, 255, 255], [1, 2, 3], [128, 0, 64]], np.uint8)


@pytest.mark.parametrize('mode', ['RGB', 'RGBA'])
def test_each_colour_is_a_label(tmp_path, mode):
    picture = PAINT[LABELS % 4]
    Image.fromarray(picture).convert(mode).save(tmp_path / 'a.png')
    with pytest.raises(ValueError, match=r'a\.png: .* one number a pixel .* got RGB'):
        read_label_map(tmp_path / 'a.png')
    form = read_label_map(tmp_path / 'a.png', colours=True)
    assert form.labels.dtype == np.int32
    # As COCO numbers the segments of its panoptic PNGs.
    np.testing.assert_array_equal(form.labels, picture.astype(int) @ [1, 256, 65536])
    write_label_map(tmp_path / 'b.png', form.labels, form)
    with Image.open(tmp_path / 'b.png') as again:
        np.testing.assert_array_equal(np.asarray(again), picture)


def test_pictures_are_no_label_maps(tmp_path):
    for mode, name in (('RGBA', r'RGB \+ alpha'), ('LA', r'grey \+ alpha')):
        path = tmp_path / f'{mode}.png'
        Image.new(mode, (5, 4)).save(path)
        with pytest.raises(ValueError, match=rf'{mode}\.png: .* got {name} that is partly transp'):
            read_label_map(path, colours=True)
    photo = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / 'a.png')
    with pytest.raises(ValueError, match=r'a\.png: expected .* got \d+ colours: a photograph'):
        read_label_map(tmp_path / 'a.png', colours=True)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int32, np.uint32])
@pytest.mark.parametrize('options', [{}, dict(tile=(16, 16), compression=8), dict(bigtiff=True)])
def test_geotiffs_keep_their_place(tmp_path, dtype, options):
    tifffile = pytest.importorskip('tifffile')
    labels = np.arange(30 * 41, dtype=dtype).reshape(30, 41)
    place = [
        (33550, 'd', 3, (0.5, 0.5, 0.0), True),
        (33922, 'd', 6, (0.0, 0.0, 0.0, 500000.0, 5400000.0, 0.0), True),
        (34735, 'H', 8, (1, 1, 0, 1, 3072, 0, 1, 32633), True),
        (34737, 's', 0, 'WGS 84|', True),
        (42113, 's', 0, '255', True),
    ]
    tifffile.imwrite(tmp_path / 'a.tif', labels, extratags=place, metadata=None, **options)
    form = read_label_map(tmp_path / 'a.tif')
    assert form.labels.dtype == dtype
    np.testing.assert_array_equal(form.labels, labels)
    write_label_map(tmp_path / 'b.tif', form.labels[::-1], form)
    with tifffile.TiffFile(tmp_path / 'a.tif') as one, tifffile.TiffFile(tmp_path / 'b.tif') as two:
        pages = [file.pages[0] for file in (one, two)]
        for code, *_ in place:
            assert pages[0].tags[code].value == pages[1].tags[code].value
        assert pages[0].compression == pages[1].compression
        assert pages[0].tile == pages[1].tile
        assert one.is_bigtiff == two.is_bigtiff
        np.testing.assert_array_equal(pages[1].asarray(), labels[::-1])


def test_tiffs_that_are_no_label_map_are_refused(tmp_path):
    tifffile = pytest.importorskip('tifffile')
    for array, text in (
        (np.zeros((4, 5), np.float32), r'got 1 of shape \(4, 5\), float32'),
        (np.zeros((4, 5, 3), np.uint8), r'got 1 of shape \(4, 5, 3\)'),
        (np.zeros((2, 14, 15), np.uint8), r'got 2 of shape \(14, 15\)'),
    ):
        tifffile.imwrite(
            tmp_path / 'a.tif', array, photometric='rgb' if array.shape[-1] == 3 else 0
        )
        with pytest.raises(ValueError, match=rf'a\.tif: expected a label map, a TIFF.* {text}'):
            read_label_map(tmp_path / 'a.tif')
    (tmp_path / 'b.tif').write_bytes(b'II*\0 and no more')
    with pytest.raises(ValueError, match=r'b\.tif: expected a TIFF'):
        read_label_map(tmp_path / 'b.tif')


@pytest.mark.parametrize('size_hw', [(6, 8), (3, 4), (7, 5), (12, 20)])
def test_labels_in_another_size(size_hw):
    labels = np.arange(12, dtype=np.int32).reshape(3, 4)
    found = resized_labels(labels, size_hw)
    expected = cv2.resize(labels, size_hw[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ('array', 'text'),
    [
        (np.zeros((3, 4), np.float32), 'expected integers .* got float32'),
        (np.zeros((3, 4), np.uint64), 'expected integers .* got uint64'),
        (np.zeros((3, 4, 3), np.uint8), r'expected a label map \(H, W\), got shape \(3, 4, 3\)'),
        (np.zeros((0, 4), np.uint8), r'got shape \(0, 4\)'),
        (np.array([[{}]]), 'broken or none'),
    ],
)
def test_array_that_is_no_label_map_is_refused(tmp_path, array, text):
    np.save(tmp_path / 'a.npy', array, allow_pickle=True)
    with pytest.raises(ValueError, match=rf'a\.npy: .*{text}'):
        read_label_map(tmp_path / 'a.npy')


def test_other_files_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.jpg'), LABELS)
    (tmp_path / 'disguised.png').write_bytes((tmp_path / 'a.jpg').read_bytes())
    (tmp_path / 'empty.png').touch()
    for name, text in (
        ('a.jpg', r'expected a label map as \.png, \.tif or \.npy, got \.jpg'),
        ('disguised.png', 'broken or of another format'),
        ('empty.png', 'the file is empty'),
        ('absent.png', 'no such label map'),
    ):
        with pytest.raises(ValueError, match=f'{name}: .*{text}'):
            read_label_map(tmp_path / name)


def test_labels_of_another_dtype_are_not_squeezed_into_a_form(tmp_path):
    with pytest.raises(TypeError, match='labels: expected uint8 as in the form, got int64'):
        write_label_map(tmp_path / 'a.png', LABELS.astype(np.int64), LabelMap(LABELS))
    assert not list(tmp_path.iterdir())
