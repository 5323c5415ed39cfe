"""What refines the masks of an image: any refiner, or offset fields from files."""

import cv2
import numpy as np
import pytest

from mmrefine.batch.label_maps import LabelMaps
from mmrefine.batch.source import ImageFile, OffsetFolderSource, RefinerSource
from mmrefine.files.label_ids import IGNORED_MARK, LabelRules
from mmrefine.files.offsets import write_offset
from mmrefine.refiners import Refiner


class Shift(Refiner):
    """Moves every label one pixel to the right, ignored ones excepted."""

    def __init__(self, ignore_index=255):
        self.ignore_index = ignore_index

    def refine(self, image, masks):
        refined = np.roll(masks, 1, axis=-1)
        kept = (masks == self.ignore_index) | (refined == self.ignore_index)
        return np.where(kept, masks, refined)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), np.zeros((3, 5, 3), np.uint8))
    return path


def test_any_refiner_refines_and_is_left_as_it_is(image):
    refiner = Shift()
    labels = np.tile([1, 2, IGNORED_MARK, 255, 4], (3, 1))
    with RefinerSource(refiner).open(ImageFile(image, ['a'])) as opened:
        assert opened.size_hw == (3, 5)
        assert opened.refine(labels)[0].tolist() == [4, 1, IGNORED_MARK, 255, 255]
    assert refiner.ignore_index == 255


def test_what_is_ignored_comes_back_whatever_its_id(image, tmp_path):
    (tmp_path / 'masks').mkdir()
    labels = np.tile(np.array([7, 4, 255, 26, 8], np.uint8), (3, 1))
    np.save(tmp_path / 'masks' / 'a.npy', labels)
    rules = LabelRules(label_ids='cityscapes')
    work = LabelMaps(image, tmp_path / 'masks', tmp_path / 'out', rules)
    source, (task,) = RefinerSource(Shift()), work.tasks
    assert work.missing == []
    assert not task.is_done(source)
    change = task.run(source)
    assert task.is_done(source)
    refined = np.load(tmp_path / 'out' / 'a.npy')
    assert refined[0].tolist() == [8, 4, 255, 26, 26]
    assert refined.dtype == np.uint8
    assert (change.changed, change.pixels, change.note) == (6, 15, None)


def test_only_segfix_has_offsets_to_save(tmp_path):
    with pytest.raises(ValueError, match='Shift has no offset fields that could be saved'):
        RefinerSource(Shift(), save_offsets=tmp_path)


def test_offset_files_are_looked_up_by_folder_then_flat(tmp_path, image):
    field = np.zeros((2, 3, 5), np.int8)
    for name, x in (('one/a', 1), ('a', 2)):
        field[1, 0, 0] = x
        write_offset(tmp_path / 'offsets' / f'{name}.npz', field)
    source = OffsetFolderSource(tmp_path / 'offsets', scale=1)
    labels = np.tile(np.arange(5), (3, 1))
    for names, first in ((['one/a'], 1), (['two/a'], 2), (['b', 'one/a'], 1)):
        with source.open(ImageFile(image, names)) as opened:
            assert opened.refine(labels)[0, 0] == first
            assert opened.size_hw == (3, 5)
    text = r'a\.png: no offset file, expected .*/x/b\.npz or \.mat'
    with pytest.raises(ValueError, match=text), source.open(ImageFile(image, ['x/b', 'c'])):
        pass
    with pytest.raises(ValueError, match='nowhere: expected a folder of offset files'):
        OffsetFolderSource(tmp_path / 'nowhere')
