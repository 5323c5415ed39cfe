"""Ground truth for pictures is found by name, checked, and matched with what was predicted."""

import json
import shutil

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from mmrefine.batch.truth import TrueAnnotations, TrueInstances, TrueLabelMaps
from mmrefine.files.instances import Instance
from mmrefine.files.label_ids import IGNORED_MARK, LabelRules

SIZE = (5, 8)


def encode(mask):
    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return dict(size=rle['size'], counts=rle['counts'].decode())


def block(left, right, size_hw=SIZE):
    mask = np.zeros(size_hw, bool)
    mask[1:4, left:right] = True
    return mask


@pytest.fixture
def maps(tmp_path):
    """A folder with ``a``, ``x/b`` and ``y/b``, which hold 1, 2 and 3, and 255 in the corner."""
    for value, name in enumerate(('a', 'x/b', 'y/b'), 1):
        labels = np.full(SIZE, value, np.uint8)
        labels[0, 0] = 255
        path = tmp_path / 'truth' / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), labels)
    return tmp_path / 'truth'


def test_label_maps_by_name(maps):
    truth = TrueLabelMaps(maps)
    labels = truth.read(['a'], SIZE)
    assert labels.dtype == np.int16
    assert labels[0, 0] == IGNORED_MARK
    assert (labels.ravel()[1:] == 1).all()
    assert truth.read(['x/b'], SIZE)[1, 1] == 2
    assert truth.read(['unknown', 'y/b', 'a'], SIZE)[1, 1] == 3, 'the first name that is known'
    assert truth.read(['folder/a'], SIZE)[1, 1] == 1, 'only one of the sides has folders'


def test_label_map_that_is_not_there_or_does_not_fit(maps):
    truth = TrueLabelMaps(maps)
    with pytest.raises(ValueError, match=f'its ground truth in {maps}: no image of that name'):
        truth.read(['c', 'd'], SIZE)
    with pytest.raises(ValueError, match='2 images of that name'):
        truth.read(['b'], SIZE)
    with pytest.raises(ValueError, match=r'a\.png: expected the size of the image, 8x5 .* got 5x8'):
        truth.read(['a'], SIZE[::-1])
    (maps / 'a.png').write_bytes(b'')
    with pytest.raises(ValueError, match=r'a\.png: the file is empty'):
        truth.read(['a'], SIZE)
    with pytest.raises(ValueError, match='none: no such file or folder'):
        TrueLabelMaps(maps / 'none')


def test_a_single_label_map_is_that_of_any_name(maps):
    assert TrueLabelMaps(maps / 'x' / 'b.png').read(['photo'], SIZE)[1, 1] == 2


def test_what_the_labels_mean(maps):
    labels = TrueLabelMaps(maps, LabelRules(None)).read(['a'], SIZE)
    assert labels[0, 0] == 255
    assert (TrueLabelMaps(maps, LabelRules(1)).read(['a'], SIZE) == IGNORED_MARK).sum() == 39
    labels = TrueLabelMaps(maps, LabelRules(label_ids='cityscapes')).read(['a'], SIZE)
    assert (labels == IGNORED_MARK).all(), 'label id 1 is void'


def test_end_of_names(maps):
    shutil.copy(maps / 'a.png', maps / 'city_gtFine_labelTrainIds.png')
    truth = TrueLabelMaps(maps, suffix='_gtFine_labelTrainIds')
    assert truth.read(['city_leftImg8bit', 'city'], SIZE)[1, 1] == 1
    with pytest.raises(ValueError, match='no image of that name'):
        truth.read(['a'], SIZE)


@pytest.fixture
def annotations(tmp_path):
    """Write COCO annotations of images with one block each; a function of what to change."""

    def write(**changed):
        image = dict(id=3, file_name='val/a.jpg', height=SIZE[0], width=SIZE[1])
        entry = dict(id=0, image_id=3, category_id=9, iscrowd=0, segmentation=encode(block(2, 6)))
        image |= {key: value for key, value in changed.items() if key in image}
        entry |= {key: value for key, value in changed.items() if key in entry}
        empty = dict(id=4, file_name='val/empty.jpg', height=SIZE[0], width=SIZE[1])
        path = tmp_path / 'annotations.json'
        path.write_text(json.dumps(dict(images=[image, empty], annotations=[entry], categories=[])))
        return path

    return write


def test_annotations_by_name(annotations):
    truth = TrueAnnotations(annotations())
    for name in ('val/a', 'a'):
        (mask,) = truth.read([name], SIZE).masks()
        assert np.array_equal(mask, block(2, 6))
    nothing = truth.read(['empty'], SIZE)
    assert list(nothing.masks()) == []
    assert list(nothing.counterparts(block(2, 6)[None])) == [None]


def test_polygons_and_crowds(annotations):
    polygon = [[2, 1, 6, 1, 6, 4, 2, 4]]
    (mask,) = TrueAnnotations(annotations(segmentation=polygon)).read(['a'], SIZE).masks()
    assert np.array_equal(mask, block(2, 6))
    crowd = TrueAnnotations(annotations(iscrowd=1)).read(['a'], SIZE)
    assert list(crowd.masks()) == []
    assert list(crowd.counterparts(block(2, 6)[None])) == [None]


def test_annotations_that_are_not_there_or_do_not_fit(annotations, tmp_path):
    with pytest.raises(ValueError, match=r'annotations\.json: no image of that name'):
        TrueAnnotations(annotations()).read(['b'], SIZE)
    with pytest.raises(ValueError, match=r'val/a\.jpg: expected the size of .* 5x8 .* got 6x8'):
        TrueAnnotations(annotations(height=6)).read(['a'], SIZE)
    broken = TrueAnnotations(annotations(segmentation=encode(block(2, 6, (6, 8)))))
    with pytest.raises(ValueError, match=r'val/a\.jpg: a true mask: size \(6, 8\) is not'):
        broken.read(['a'], SIZE)
    (tmp_path / 'x.json').write_text('{')
    with pytest.raises(ValueError, match=r'x\.json: expected JSON'):
        TrueAnnotations(tmp_path / 'x.json')


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 4), st.integers(0, 4))
def test_counterparts_are_those_that_overlap_most(seed, number, true_number):
    """By counting pixels; a mask and a true one that share exactly half are no pair."""
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.integers(0, 9, (number + true_number, 2)), axis=1)
    masks = np.array([block(*edge) for edge in edges], bool).reshape(-1, *SIZE)
    masks, true = masks[:number], masks[number:]
    instances = TrueInstances([Instance(k, encode(mask)) for k, mask in enumerate(true)], SIZE)
    assert np.array_equal(np.array(list(instances.masks())).reshape(true.shape), true)
    found = list(instances.counterparts(masks))
    assert len(found) == number
    for mask, counterpart in zip(masks, found, strict=True):
        overlaps = [(mask & t).sum() / max((mask | t).sum(), 1) for t in true]
        best = max(overlaps, default=0)
        if best <= 0.5:
            assert counterpart is None
        else:
            assert (mask & counterpart).sum() / (mask | counterpart).sum() == best
