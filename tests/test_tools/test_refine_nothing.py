"""``tools/refine.py`` where every image fails: no output is there that could be taken for one."""

import json
import shutil

import cv2
import numpy as np
import pytest
import small_coco_panoptic as panoptic
from instance_drawing import draw_cityscapes, draw_images
from PIL import Image

SIZE = panoptic.SIZE
SQUARE = [[4.0, 3.0, 20.0, 3.0, 20.0, 15.0, 4.0, 15.0]]


def of_label_maps(folder):
    (folder / 'masks').mkdir()
    Image.fromarray(np.eye(*SIZE, dtype=np.uint8)).save(folder / 'masks' / 'a.png')
    return 'label-maps', 'masks', 'out'


def of_coco(folder):
    (folder / 'r.json').write_text(json.dumps([dict(image_id='a', score=1, segmentation=SQUARE)]))
    return 'coco', 'r.json', 'out.json'


def of_broken_mask(folder):
    """The image is fine, its only mask is not."""
    (folder / 'images' / 'a.jpg').write_bytes(cv2.imencode('.jpg', np.zeros((*SIZE, 3)))[1])
    mask = dict(size=list(SIZE), counts='hello')
    (folder / 'r.json').write_text(json.dumps([dict(image_id='a', score=1, segmentation=mask)]))
    return 'coco', 'r.json', 'out.json'


def of_yolo(folder):
    (folder / 'labels').mkdir()
    (folder / 'labels' / 'a.txt').write_text('0 0.1 0.1 0.5 0.1 0.5 0.9\n')
    return 'instances', 'labels', 'out'


def of_panoptic(folder):
    (folder / 'val.json').write_text(json.dumps(panoptic.content()))
    panoptic.save(folder / 'val' / 'a.png', panoptic.drawn())
    return 'coco', 'val.json', 'out.json'


def of_cityscapes(folder):
    draw_images(folder / 'images')
    draw_cityscapes(folder / 'masks')
    for image in (folder / 'images').rglob('*.png'):
        image.write_bytes(image.read_bytes()[:100])
    return 'cityscapes', 'masks', 'out'


KINDS = (of_label_maps, of_coco, of_broken_mask, of_yolo, of_panoptic, of_cityscapes)


@pytest.mark.parametrize('make', KINDS, ids=lambda make: make.__name__)
def test_nothing_is_written_where_every_image_fails(run_tool, tmp_path, checkpoint, make):
    (tmp_path / 'images').mkdir()
    (tmp_path / 'images' / 'a.jpg').write_bytes(b'no image')
    kind, masks, out = make(tmp_path)
    places = [tmp_path / 'images', tmp_path / masks, tmp_path / out]
    outcome = run_tool('refine.py', kind, *places, '--checkpoint', checkpoint)
    assert outcome.status == 1
    assert f'nothing could be refined: {places[2]} is not written' in outcome.err
    assert 'written to' not in outcome.out + outcome.err
    found = [path for path in tmp_path.glob('out*') if 'parts' not in path.name]
    assert found == []


def test_what_failed_is_kept_as_it_is_beside_what_was_refined(run_tool, tmp_path, checkpoint):
    """The panoptic file, with a second image that can be read."""
    (tmp_path / 'images').mkdir()
    (tmp_path / 'images' / 'a.jpg').write_bytes(b'no image')
    image = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'images' / 'b.png'), image)
    of_panoptic(tmp_path)
    content = panoptic.content()
    content['images'].append(dict(content['images'][0], id=5, file_name='b.png'))
    content['annotations'].append(dict(content['annotations'][0], image_id=5, file_name='b.png'))
    (tmp_path / 'val.json').write_text(json.dumps(content))
    shutil.copyfile(tmp_path / 'val' / 'a.png', tmp_path / 'val' / 'b.png')
    places = [tmp_path / 'images', tmp_path / 'val.json', tmp_path / 'out.json']
    outcome = run_tool('refine.py', 'coco', *places, '--checkpoint', checkpoint)
    assert outcome.status == 1
    assert 'refined 1, failed 1' in outcome.out
    before, after = ((tmp_path / part / 'a.png').read_bytes() for part in ('val', 'out'))
    assert before == after
    assert len(json.loads((tmp_path / 'out.json').read_text())['annotations']) == 2
    outcome = run_tool('refine.py', 'coco', *places, '--checkpoint', checkpoint)
    assert 'skipped 1 already there, failed 1' in outcome.out
