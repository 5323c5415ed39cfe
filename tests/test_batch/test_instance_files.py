"""Files of instances of any format: refined as a whole, or a folder of them."""

import json

import cv2
import numpy as np
import pytest

pytest.importorskip('shapely')

from mmrefine.batch.instance_files import MaskRules, ResultFile
from mmrefine.batch.mask_folder import MaskFolder
from mmrefine.batch.source import RefinerSource
from mmrefine.batch.tasks import run_tasks
from mmrefine.files.open_mask_file import open_mask_file
from mmrefine.ops.run_lengths import decode_mask, encode_mask
from mmrefine.refiners import Refiner

SIZE = (40, 56)
SQUARE = [10, 10, 30, 10, 30, 30, 10, 30]


class Grow(Refiner):
    """Adds a pixel to the right of every mask."""

    def refine(self, image, masks):
        refined = masks.copy()
        refined[..., 1:] = np.maximum(masks[..., 1:], masks[..., :-1])
        return refined


SOURCE = RefinerSource(Grow())


def square(right: int = 30) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[10:30, 10:right] = True
    return mask


@pytest.fixture
def folder(tmp_path):
    for name in ('a', 's/b'):
        (tmp_path / 'im' / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / 'im' / f'{name}.png'), np.zeros((*SIZE, 3), np.uint8))
    return tmp_path


def annotations() -> dict:
    entries = [
        dict(id=1, image_id=1, category_id=1, segmentation=[SQUARE], area=1, bbox=[0, 0, 1, 1]),
        dict(id=2, image_id=1, category_id=1, iscrowd=1, segmentation=encode_mask(square())),
        dict(id=3, image_id=2, category_id=1, segmentation=[[*SQUARE], [1, 1, 2, 2]], k=dict(v=1)),
        dict(id=4, image_id=2, category_id=1, bbox=[1, 2, 3, 4]),
    ]
    images = [dict(id=1, file_name='x\\im\\a.png'), dict(id=2, file_name='s/b.png')]
    return dict(info={}, images=images, annotations=entries, categories=[dict(id=1, name='c')])


def refined(work):
    report = run_tasks(work.tasks, SOURCE)
    assert report.stopped is None
    end = work.finish()
    return report.failed + end.failed + list(work.missing), report.notes + end.notes


def test_annotations_come_back_with_refined_masks(folder):
    (folder / 'ann.json').write_text(json.dumps(annotations()))
    work = ResultFile(folder / 'im', folder / 'ann.json', None, folder / 'out.json')
    failed, notes = refined(work)
    assert failed == []
    assert [note.partition('.json: ')[2] for note in notes] == [
        'annotation 2: parts of fewer than three points are left out',
        'left as they are: 1 crowd regions, 1 without a mask',
    ]
    content, given = json.loads((folder / 'out.json').read_text()), annotations()
    for place in (0, 2):
        entry = content['annotations'][place]
        assert isinstance(entry['segmentation'], list)
        np.testing.assert_array_equal(decode_mask(entry['segmentation'], SIZE), square(31))
        assert (entry['area'], entry['bbox']) == (420, [10, 10, 21, 20])
        given['annotations'][place] |= {k: entry[k] for k in ('segmentation', 'area', 'bbox')}
    assert json.dumps(content) == json.dumps(given)
    assert [path.name for path in folder.iterdir() if path.name.startswith('.')] == []


@pytest.mark.parametrize('polygons', [True, False])
def test_polygons_or_run_lengths_on_request(folder, polygons):
    results = [
        dict(image_id='a', score=1, segmentation=s) for s in ([SQUARE], encode_mask(square()))
    ]
    (folder / 'r.json').write_text(json.dumps(results))
    rules = MaskRules(polygons=polygons)
    work = ResultFile(folder / 'im', folder / 'r.json', None, folder / 'o.json', rules=rules)
    assert refined(work) == ([], [])
    for entry in json.loads((folder / 'o.json').read_text()):
        assert isinstance(entry['segmentation'], list if polygons else dict)
        np.testing.assert_array_equal(decode_mask(entry['segmentation'], SIZE), square(31))


def test_masks_of_another_size(folder):
    half = cv2.resize(square().astype(np.uint8), (28, 20), interpolation=cv2.INTER_NEAREST)
    results = [dict(image_id='a', score=1, segmentation=encode_mask(half))]
    (folder / 'r.json').write_text(json.dumps(results))
    places = folder / 'im', folder / 'r.json', None, folder / 'o.json'
    failed, _ = refined(ResultFile(*places))
    assert 'size (20, 28) is not the size (40, 56)' in failed[0]
    assert refined(ResultFile(*places, rules=MaskRules(resize=True))) == ([], [])
    [entry] = json.loads((folder / 'o.json').read_text())
    np.testing.assert_array_equal(decode_mask(entry['segmentation'], SIZE), square(31))


def test_one_run_at_a_time_writes_a_file(folder):
    results = [dict(image_id=i, segmentation=encode_mask(square())) for i in ('a', 'b')]
    (folder / 'r.json').write_text(json.dumps(results))
    places = folder / 'im', folder / 'r.json', None, folder / 'o.json'
    first = ResultFile(*places)
    with pytest.raises(ValueError, match=r'o\.json: process \d+ is writing it'):
        ResultFile(*places)
    assert refined(first) == ([], [])
    second = ResultFile(*places)  # the first is finished
    del second
    ResultFile(*places)  # the second is gone


def test_a_folder_of_yolo_labels(folder):
    line = '3 0.178571 0.25 0.535714 0.25 0.535714 0.75 0.178571 0.75\n'
    box = '1 0.5 0.5 0.1 0.1\n'
    for name, text in (('a', line + box), ('s/b', ''), ('lost', line), ('broken', 'cat\n')):
        path = folder / 'labels' / f'{name}.txt'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / 'labels' / 'classes.txt').write_text('cat\ndog\n')
    failed, notes = refined(MaskFolder(folder / 'im', folder / 'labels', folder / 'out'))
    assert len(failed) == 2
    assert any('lost.txt: its image is lost: no image of that name' in line for line in failed)
    assert any('broken.txt: line 1: expected a class and points' in line for line in failed)
    assert [note.partition('.txt: ')[2] for note in notes] == ['left as they are: 1 boxes']
    first, second = (folder / 'out' / 'a.txt').read_text().splitlines(keepends=True)
    assert (first[:2], second) == ('3 ', box)
    file = open_mask_file(folder / 'out' / 'a.txt')
    np.testing.assert_array_equal(file.decode(file.images()[0].masks[1], SIZE), square(31))
    assert (folder / 'out' / 's' / 'b.txt').read_text() == ''
