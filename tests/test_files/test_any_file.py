"""Files that are broken in any way: refused with a message, or read; nothing crashes or is lost."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip('shapely')

from mmrefine.files.open_mask_file import open_mask_file
from mmrefine.ops.polygons import mask_polygons, mask_ring
from mmrefine.ops.run_lengths import decode_mask, encode_mask
from mmrefine.ops.vanished import keep_vanished

SIZE = (9, 13)
BOUNDED = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
NUMBERS = st.one_of(
    st.integers(-5, 20), st.floats(allow_nan=True, allow_infinity=True), st.booleans(), st.none()
)
KEYS = [
    *('segmentation', 'counts', 'size', 'image_id', 'images', 'annotations', 'id', 'file_name'),
    *('image', 'shapes', 'points', 'label', 'area', 'iscrowd', 'shape_type'),
]
JSON = st.recursive(
    st.one_of(NUMBERS, st.text(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    ),
    max_leaves=25,
)
MASKS = st.lists(st.booleans(), min_size=117, max_size=117).map(
    lambda values: np.array(values).reshape(SIZE)
)


def read(path):
    """Decode everything that a file holds; a ValueError is all that may happen."""
    try:
        file = open_mask_file(path)
        images = file.images()
    except ValueError as error:
        if str(path) not in str(error):
            raise AssertionError('the message does not name the file') from error
        return
    for image in images:
        for mask in image.masks.values():
            try:
                assert file.decode(mask, SIZE).shape == SIZE
            except ValueError:
                continue
    file.content({})


@BOUNDED
@given(content=JSON)
def test_any_json(tmp_path_factory, content):
    path = tmp_path_factory.mktemp('any') / 'a.json'
    path.write_text(json.dumps(content))
    read(path)


@BOUNDED
@given(segmentation=JSON)
def test_any_segmentation(segmentation):
    try:
        mask = decode_mask(segmentation, SIZE)
    except ValueError:
        return
    assert mask.shape == SIZE
    assert mask.dtype == bool


@BOUNDED
@given(content=st.binary(max_size=60), suffix=st.sampled_from(['.json', '.txt', '.pkl']))
def test_any_bytes(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp('any') / f'a{suffix}'
    path.write_bytes(content)
    read(path)


@pytest.mark.parametrize('opening', [b'[', b'{"a":'])
def test_json_of_any_depth(tmp_path, opening):
    path = tmp_path / 'a.json'
    path.write_bytes(opening * 200_000)
    with pytest.raises(ValueError, match=r'a\.json: expected JSON'):
        open_mask_file(path)


@BOUNDED
@given(mask=MASKS)
def test_any_mask_is_its_polygons(mask):
    for polygons in (mask_polygons(mask, 0), [mask_ring(mask, 0)]):
        back = decode_mask(polygons, SIZE) if mask.any() else np.zeros(SIZE, bool)
        np.testing.assert_array_equal(back, mask)
    np.testing.assert_array_equal(decode_mask(encode_mask(mask), SIZE), mask)


@BOUNDED
@given(data=st.data())
def test_no_label_of_any_map_is_lost(data):
    labels = st.lists(st.integers(-3, 6), min_size=117, max_size=117)
    coarse = np.array(data.draw(labels)).reshape(SIZE)
    refined = np.array(
        data.draw(st.lists(st.sampled_from(coarse.ravel()), min_size=117, max_size=117))
    )
    kept = keep_vanished(coarse, refined.reshape(SIZE))
    assert set(np.unique(kept)) == set(np.unique(coarse))
