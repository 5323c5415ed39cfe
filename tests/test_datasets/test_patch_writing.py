"""Patches on disk: what is in them, going on after a stop, and images that are broken."""

import ast
import json

import cv2
import numpy as np
import pytest
from bpr_data import INSTANCES, NAMES, SIZE, write_data

from mmrefine.datasets import CityscapesPatchDataset
from mmrefine.datasets.patch_writing import (
    Outcome,
    PatchSettings,
    patch_tasks,
    write_patches,
)
from mmrefine.ops import propose_boxes

COARSE = [mask for instances in INSTANCES.values() for _, _, mask in instances]
TRUTH = [truth for instances in INSTANCES.values() for _, truth, _ in instances]
OWNERS = [image for image, instances in INSTANCES.items() for _ in instances]


@pytest.fixture
def folder(tmp_path):
    return write_data(tmp_path / 'data')


def settings_of(folder, **options):
    options = dict(patch_size=16) | options
    return PatchSettings(str(folder / 'images'), str(folder / 'patches'), **options)


def tasks_of(folder, source='results/train.segm.json'):
    return patch_tasks(str(folder / 'annotations/train.json'), str(folder / source))


def read(folder, kind, name, split='train'):
    flag = cv2.IMREAD_UNCHANGED
    return cv2.imread(str(folder / 'patches' / kind / split / name), flag)


@pytest.mark.parametrize(
    ('workers', 'source'), [(0, 'results/train.segm.json'), (2, 'results/pngs')]
)
@pytest.mark.parametrize('padding', [0, 3])
def test_patches_are_those_of_the_masks(folder, workers, source, padding):
    settings = settings_of(folder, padding=padding)
    outcomes = list(write_patches(tasks_of(folder, source), settings, workers))
    assert sum(o.instances for o in outcomes) == 5
    total = 0
    for number, (mask, truth, owner) in enumerate(zip(COARSE, TRUTH, OWNERS, strict=True)):
        detail = folder / 'patches/detail_dir/train' / f'{number}.txt'
        if number == 3:  # overlaps its true mask too little
            assert not detail.exists()
            continue
        boxes = propose_boxes(mask, 16, 0.25)
        total += len(boxes)
        image = cv2.imread(str(folder / 'images' / NAMES[owner]))
        padded = [np.pad(a, padding) for a in (mask, truth)]
        picture = np.pad(image, ((padding,) * 2, (padding,) * 2, (0, 0)))
        written = ast.literal_eval(detail.read_text())
        assert written['image_name'] == NAMES[owner]
        assert written['patches'] == [number * 100000 + i for i in range(len(boxes))]
        for i, (x1, y1, x2, y2) in enumerate(boxes):
            assert written['hlist'][i] == (y1, y2 - y1)
            assert written['wlist'][i] == (x1, x2 - x1)
            name = f'{number * 100000 + i}.png'
            part = np.s_[y1 : y2 + 2 * padding, x1 : x2 + 2 * padding]
            np.testing.assert_array_equal(read(folder, 'img_dir', name), picture[part])
            np.testing.assert_array_equal(read(folder, 'mask_dir', name), padded[0][part] * 255)
            np.testing.assert_array_equal(read(folder, 'ann_dir', name), padded[1][part] * 255)
    assert sum(o.patches for o in outcomes) == total
    assert len(CityscapesPatchDataset(data_root=str(folder / 'patches'))) == total


def test_all_instances_are_taken_to_validate(folder):
    settings = settings_of(folder, split='val', min_iou=None)
    list(write_patches(tasks_of(folder), settings))
    assert len(list((folder / 'patches/detail_dir/val').iterdir())) == 5
    assert read(folder, 'ann_dir', '300000.png', 'val') is not None


def test_masks_without_a_true_one_get_an_empty_one(folder):
    path = folder / 'results/train.segm.json'
    content = json.loads(path.read_text())
    content[0]['category_id'] = 99
    path.write_text(json.dumps(content))
    list(write_patches(tasks_of(folder), settings_of(folder, min_iou=None)))
    assert not read(folder, 'ann_dir', '0.png').any()
    assert read(folder, 'mask_dir', '0.png').any()


def test_a_second_run_goes_on(folder):
    tasks, settings = tasks_of(folder), settings_of(folder)
    list(write_patches(tasks, settings))
    patches = folder / 'patches'
    (patches / 'detail_dir/train/1.txt').unlink()
    for path in (patches / 'img_dir/train').iterdir():
        path.write_bytes(b'old')
    outcomes = list(write_patches(tasks, settings, workers=1))
    assert sum(o.instances for o in outcomes) == 5
    names = {p.name for p in (patches / 'img_dir/train').iterdir() if p.read_bytes() != b'old'}
    assert names == {f'{100000 + i}.png' for i in range(len(propose_boxes(COARSE[1], 16, 0.25)))}
    assert sum(o.patches for o in outcomes) == len(names)


@pytest.mark.parametrize(
    'options', [dict(patch_size=8), dict(padding=1), dict(iou_threshold=0.55), dict(min_iou=0.3)]
)
def test_patches_of_other_settings_do_not_come_among_those_that_are_there(folder, options):
    tasks = tasks_of(folder)
    list(write_patches(tasks, settings_of(folder)))
    before = sorted(path for path in (folder / 'patches').rglob('*') if path.is_file())
    (name, value), *_ = options.items()
    kept = getattr(settings_of(folder), name)
    for workers in (0, 1):
        with pytest.raises(ValueError, match=f'made with {name} {kept} instead of {value}; take'):
            list(write_patches(tasks, settings_of(folder, **options), workers))
    assert before == sorted(path for path in (folder / 'patches').rglob('*') if path.is_file())
    outcomes = list(write_patches(tasks, settings_of(folder, split='val', **options)))
    assert sum(o.patches for o in outcomes) > 0, 'another split is another matter'
    assert sum(o.patches for o in write_patches(tasks, settings_of(folder))) == 0


def test_patches_of_other_instances_do_not_come_among_those_that_are_there(folder):
    list(write_patches(tasks_of(folder), settings_of(folder)))
    path = folder / 'results/train.segm.json'
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content[::-1]))
    with pytest.raises(ValueError, match='patches made with other instances; take another'):
        list(write_patches(tasks_of(folder), settings_of(folder)))
    moved = folder.rename(folder.with_name('moved'))
    path = moved / 'results/train.segm.json'
    path.write_text(json.dumps(content))
    outcomes = list(write_patches(tasks_of(moved), settings_of(moved)))
    assert [o.problem for o in outcomes] == [None] * 3
    assert sum(o.patches for o in outcomes) == 0


def test_patches_that_nobody_knows_the_settings_of(folder):
    list(write_patches(tasks_of(folder), settings_of(folder)))
    (folder / 'patches/settings_train.json').unlink()
    with pytest.raises(ValueError, match=r'no settings_train\.json that says how'):
        list(write_patches(tasks_of(folder), settings_of(folder)))


def test_broken_images_and_masks_are_told_and_the_rest_is_done(folder):
    (folder / 'images' / NAMES[1]).unlink()
    path = folder / 'results/train.segm.json'
    content = json.loads(path.read_text())
    content[2]['segmentation']['size'] = list(SIZE[::-1])
    path.write_text(json.dumps(content))
    outcomes = list(write_patches(tasks_of(folder), settings_of(folder)))
    problems = [o.problem for o in outcomes if o.problem]
    assert len(problems) == 2
    assert 'city_000001_000019_leftImg8bit.png: ' in problems[0]
    assert 'No such file' in problems[0]
    assert 'size (90, 60) is not the size (60, 90)' in problems[1]
    assert outcomes[2] == Outcome(1, len(propose_boxes(COARSE[4], 16, 0.25)))


def test_the_tool(folder, run_fresh):
    arguments = [
        'tools/make_patches.py',
        str(folder / 'annotations/train.json'),
        str(folder / 'results/pngs'),
        str(folder / 'images'),
        str(folder / 'patches'),
        *('--patch-size', '16', '--workers', '1'),
    ]
    done = run_fresh(*arguments)
    assert done.returncode == 0, done.stderr
    assert '5 instances of 3 images' in done.stdout
    assert len(list((folder / 'patches/detail_dir/train').iterdir())) == 4
    other = run_fresh(*arguments, '--iou-threshold', '0.55')
    assert other.returncode == 2
    assert 'made with iou_threshold 0.25 instead of 0.55' in other.stderr
    (folder / 'images' / NAMES[1]).write_bytes(b'')
    (folder / 'patches/detail_dir/train/0.txt').unlink()
    failed = run_fresh(*arguments)
    assert failed.returncode == 1
    assert 'left out' in failed.stderr
    assert NAMES[1] in failed.stderr
    wrong = run_fresh(*arguments[:2], str(folder / 'none.json'), *arguments[3:])
    assert wrong.returncode == 2
    assert 'none.json: cannot be read' in wrong.stderr
