"""Offset fields: ours and those of the released SegFix."""

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmrefine.files.offsets import read_offset, write_offset
from mmrefine.refiners import shift_masks

FIELD = np.zeros((2, 3, 5), np.int8)
FIELD[:, 1, 2] = (-1, 2)


@settings(max_examples=40, deadline=None)
@given(arrays(np.int8, st.tuples(st.just(2), st.integers(1, 4), st.integers(1, 6))))
def test_our_files_survive_a_round_trip(tmp_path_factory, field):
    path = tmp_path_factory.mktemp('offsets') / 'a.npz'
    write_offset(path, field)
    again = read_offset(path)
    assert again.dtype == np.int8
    assert np.array_equal(again, field)


@pytest.mark.parametrize('dtype', [np.int64, np.int8, np.float32])
@pytest.mark.parametrize('do_compression', [True, False])
def test_released_files_point_down_and_right(tmp_path, dtype, do_compression):
    """As the released code writes them: ``mat``, (H, W, 2), (dy, dx), not scaled."""
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    field = np.zeros((3, 4, 2), dtype)
    field[0, 1] = (1, 0)  # down
    field[2, 0] = (0, 1)  # right
    scipy.io.savemat(tmp_path / 'a.mat', {'mat': field}, do_compression=do_compression)
    offset = read_offset(tmp_path / 'a.mat')
    assert offset.dtype == np.int8
    expected = labels.copy()
    expected[0, 1] = labels[2, 1]
    expected[2, 0] = labels[2, 2]
    # As a stack: of a label map, labels that would vanish come back.
    assert np.array_equal(shift_masks(labels[None], offset, scale=2)[0], expected)


@pytest.mark.parametrize('suffix', ['.npz', '.mat'])
def test_cut_off_file_is_refused_wherever_it_ends(tmp_path, suffix):
    path = tmp_path / f'a{suffix}'
    if suffix == '.npz':
        write_offset(path, FIELD)
    else:
        scipy.io.savemat(path, {'mat': FIELD.transpose(1, 2, 0)}, do_compression=True)
    content = path.read_bytes()
    for end in range(0, len(content) - 1, 3):
        path.write_bytes(content[:end])
        with pytest.raises(ValueError, match=str(path)):
            read_offset(path)


@pytest.mark.parametrize(
    ('content', 'text'),
    [
        ({'offset': FIELD}, 'expected the arrays version and offset, got offset'),
        ({'version': 2, 'offset': FIELD}, 'expected offset format 1, got 2'),
        (
            {'version': 1, 'offset': FIELD[0]},
            r'expected offsets of shape \(2, H, W\), got \(3, 5\)',
        ),
        ({'version': 1, 'offset': FIELD + 0.5}, 'whole-pixel offsets'),
        ({'version': 1, 'offset': FIELD + np.nan}, 'whole-pixel offsets'),
        ({'version': 1, 'offset': FIELD.astype(int) + 300}, 'from -128 to 127'),
        ({'version': 1, 'offset': FIELD.astype(str)}, 'as numbers'),
    ],
)
def test_other_arrays_are_refused(tmp_path, content, text):
    np.savez(tmp_path / 'a.npz', **content)
    with pytest.raises(ValueError, match=rf'a\.npz: .*{text}'):
        read_offset(tmp_path / 'a.npz')


def test_other_matlab_files_are_refused(tmp_path):
    scipy.io.savemat(tmp_path / 'a.mat', {'depth': np.zeros((3, 5, 2))})
    with pytest.raises(ValueError, match=r"a\.mat: expected a variable 'mat'"):
        read_offset(tmp_path / 'a.mat')
    scipy.io.savemat(tmp_path / 'b.mat', {'mat': FIELD})
    with pytest.raises(ValueError, match=r'b\.mat: .*\(H, W, 2\), got \(2, 3, 5\)'):
        read_offset(tmp_path / 'b.mat')


def test_missing_files_and_other_suffixes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r'a\.npz: no such offset file'):
        read_offset(tmp_path / 'a.npz')
    np.save(tmp_path / 'a.npy', FIELD)
    with pytest.raises(ValueError, match=r'a\.npy: expected offsets as \.npz or \.mat'):
        read_offset(tmp_path / 'a.npy')
    with pytest.raises(ValueError, match='expected offsets of shape'):
        write_offset(tmp_path / 'a.npz', FIELD[0])
