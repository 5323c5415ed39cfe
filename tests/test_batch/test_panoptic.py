"""Panoptic annotations, refined as a whole."""

import json

import cv2
import numpy as np
import pytest
from small_coco_panoptic import BIG, SIZE, SMALL, content, drawn, save

from mmrefine.batch.panoptic import PanopticFile
from mmrefine.batch.source import RefinerSource
from mmrefine.batch.tasks import run_tasks
from mmrefine.files.label_maps import read_label_map
from mmrefine.files.panoptic import segment_facts
from mmrefine.refiners import Refiner


class Grow(Refiner):
    """Moves every segment a pixel to the right, over what is of no segment."""

    ignore_index = None

    def refine(self, image, masks):
        refined = masks.copy()
        free = masks[:, 1:] == self.ignore_index
        refined[:, 1:] = np.where(free, masks[:, 1:], masks[:, :-1])
        return refined


class Swap(Refiner):
    """Gives the big segment's first column to the other one."""

    def refine(self, image, masks):
        refined = masks.copy()
        refined[4:14, 6] = SMALL
        return refined


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'im').mkdir()
    cv2.imwrite(str(tmp_path / 'im' / 'a.jpg'), np.zeros((*SIZE, 3), np.uint8))
    (tmp_path / 'val.json').write_text(json.dumps(content()))
    save(tmp_path / 'val' / 'a.png', drawn())
    return tmp_path


def test_pngs_and_json_come_back(folder):
    work = PanopticFile(folder / 'im', folder / 'val.json', folder / 'new.json')
    report = run_tasks(work.tasks, RefinerSource(Swap()))
    end = work.finish()
    assert (report.failed, list(work.missing)) == ([], [])
    assert 'a.png: 5' in end.notes[0]
    expected = drawn()
    expected[4:14, 6] = SMALL
    labels = read_label_map(folder / 'new' / 'a.png', colours=True).labels
    np.testing.assert_array_equal(labels, expected)
    given = content()
    for segment in given['annotations'][0]['segments_info'][:2]:
        area, box = segment_facts(expected, [segment['id']])[segment['id']]
        segment |= dict(area=area, bbox=box)
    assert json.loads((folder / 'new.json').read_text()) == given
    assert given['annotations'][0]['segments_info'][0]['area'] == 130
    work = PanopticFile(folder / 'im', folder / 'val.json', folder / 'new.json')
    again = run_tasks(work.tasks, RefinerSource(Swap()))
    assert again.skipped == 1


def test_what_is_of_no_segment_is_left_alone(folder):
    work = PanopticFile(folder / 'im', folder / 'val.json', folder / 'new.json')
    run_tasks(work.tasks, RefinerSource(Grow()))
    labels = read_label_map(folder / 'new' / 'a.png', colours=True).labels
    np.testing.assert_array_equal(labels == 0, drawn() == 0)
    assert (labels == BIG).any()


def test_an_image_that_is_missing_leaves_its_segments(folder):
    cv2.imwrite(str(folder / 'im' / 'c.jpg'), np.zeros((*SIZE, 3), np.uint8))
    (folder / 'im' / 'a.jpg').rename(folder / 'im' / 'b.jpg')
    given = content()
    given['images'].append(dict(given['images'][0], id=5, file_name='c.jpg'))
    given['annotations'].append(dict(given['annotations'][0], image_id=5, file_name='c.png'))
    (folder / 'val.json').write_text(json.dumps(given))
    save(folder / 'val' / 'c.png', drawn())
    work = PanopticFile(folder / 'im', folder / 'val.json', folder / 'new.json')
    run_tasks(work.tasks, RefinerSource(Swap()))
    assert work.finish().written
    assert len(work.missing) == 1
    a, c = (
        read_label_map(folder / 'new' / f'{name}.png', colours=True).labels for name in ('a', 'c')
    )
    np.testing.assert_array_equal(a, drawn())
    assert (c != a).any()


def test_nothing_is_written_where_all_images_are_missing(folder):
    (folder / 'im' / 'a.jpg').rename(folder / 'im' / 'b.jpg')
    work = PanopticFile(folder / 'im', folder / 'val.json', folder / 'new.json')
    assert not work.finish().written
    assert [path.name for path in folder.glob('new*')] == []


def test_inputs_are_not_written_over(folder):
    for out in ('val.json', 'val.png'):
        with pytest.raises(ValueError, match=r'expected a \.json file other than the inputs'):
            PanopticFile(folder / 'im', folder / 'val.json', folder / out)
