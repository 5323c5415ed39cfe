"""``tools/refine.py`` on broken instance results: nothing is lost, every broken entry is named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from instance_drawing import IMAGE_END, SIZES, draw_cityscapes, draw_images, draw_results, read_mask
from PIL import Image
from pycocotools import mask as coco_mask

FRAMES = list(SIZES)
NAMES = {frame: f'{frame}{IMAGE_END}.png' for frame in FRAMES}
TOOL = 'tools/refine.py'


@pytest.fixture
def folder(tmp_path):
    draw_images(tmp_path / 'images')
    return tmp_path


@pytest.fixture
def command(folder, bpr_checkpoint):
    """Arguments of ``tools/refine.py``."""

    def make(masks, out, *options):
        places = folder / 'images', folder / masks, folder / out
        return [*map(str, [*places, '--method', 'bpr', '--checkpoint', bpr_checkpoint, *options])]

    return make


def cut(path: Path, share: float = 0.5) -> bytes:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return content


def failures(err: str) -> list[str]:
    return [line.removeprefix('failed: ') for line in err.splitlines() if line[:7] == 'failed:']


@pytest.fixture
def broken_results(folder):
    """Return a result file with every kind of broken entry; all images are there but one is cut."""
    results = draw_results(folder / 'r.json', NAMES)
    results.sort(key=lambda entry: entry['image_id'])
    good, image = results[0]['segmentation'], results[0]['image_id']
    height, width = good['size']
    bad = [
        {**good, 'counts': good['counts'][: len(good['counts']) // 2]},
        {**good, 'size': [width, height]},
        {**good, 'counts': 'hello'},
        {**good, 'counts': [3, 4]},
        [[1.0, 2.0, 3.0]],
        None,
    ]
    polygon = [[4.0, 3.0, 40.0, 3.0, 40.0, 30.0, 4.0, 30.0]]
    empty = {**good, 'counts': coco_mask.encode(np.zeros((height, width), np.uint8, 'F'))['counts']}
    empty['counts'] = empty['counts'].decode()
    results = [
        results[0],
        *(dict(image_id=image, category_id=1, score=0.5, segmentation=b) for b in bad),
        dict(image_id=image, category_id=2, score=0.6, segmentation=polygon),
        dict(image_id=image, category_id=2, score=0.7, segmentation=empty),
        dict(image_id='nobody.png', category_id=2, score=0.8, segmentation=good),
        dict(image_id=404, category_id=2, score=0.9, segmentation=good),
        *results[3:],
    ]
    del results[6]['segmentation']
    (folder / 'r.json').write_text(json.dumps(results))
    cut(folder / 'images' / NAMES[FRAMES[1]])
    return results


def test_broken_coco_entries(run_fresh, folder, command, broken_results):
    """In a process of its own, as a user sees it."""
    result = run_fresh(TOOL, *command('r.json', 'out.json'))
    assert result.returncode == 1
    assert 'Traceback' not in result.stderr
    source, image = folder / 'r.json', folder / 'images' / NAMES[FRAMES[0]]
    cut_image = folder / 'images' / NAMES[FRAMES[1]]
    pixels = np.prod(SIZES[FRAMES[0]])
    runs = f'its compressed runs are broken or do not add up to {pixels} pixels'
    known = '--annotations can say which image it is'
    assert sorted(failures(result.stderr)) == sorted(
        [
            f'{source}: entry 1, a mask on {image}: {runs}',
            f'{source}: entry 2, a mask on {image}: size (57, 40) is not the size (40, 57) of the '
            'image (height, width)',
            f'{source}: entry 3, a mask on {image}: {runs}',
            f'{source}: entry 4, a mask on {image}: its runs do not add up to 40 x 57 pixels',
            f'{source}: entry 5, a mask on {image}: expected polygons [x1, y1, x2, y2, x3, y3, '
            '...]',
            f'{source}: entry 6, a mask on {image}: there is no segmentation',
            f"{source}: entry 9: image_id 'nobody.png' is nobody.png: no image of that name",
            f'{source}: entry 10: image_id 404 is the number of no image; {known}',
            f'{source}: entries 11, 12, 13: image: {cut_image} is not an image, or is incomplete',
        ]
    )
    assert f'note: {source}: entry 8: the mask is all zero and stays so' in result.stderr
    after = json.loads((folder / 'out.json').read_text())
    assert len(after) == len(broken_results)
    for index, (old, new) in enumerate(zip(broken_results, after, strict=True)):
        assert (old != new) == (index in (0, 7)), index
        assert {**new, 'segmentation': 0} == {**old, 'segmentation': 0}
    assert isinstance(after[7]['segmentation'], list), 'a polygon stays one'


def test_what_was_broken_is_tried_again(run_tool, folder, command, broken_results):
    outcome = run_tool('refine.py', *command('r.json', 'out.json'))
    assert (outcome.status, len(failures(outcome.err))) == (1, 9)
    content = (folder / 'out.json').read_bytes()
    outcome = run_tool('refine.py', *command('r.json', 'out.json'))
    assert (outcome.status, len(failures(outcome.err))) == (1, 9)
    assert (folder / 'out.json').read_bytes() == content
    draw_images(folder / 'images')
    outcome = run_tool('refine.py', *command('r.json', 'out.json'))
    assert (outcome.status, len(failures(outcome.err))) == (1, 8)
    again = json.loads((folder / 'out.json').read_text())
    assert sum(a != b for a, b in zip(again, json.loads(content), strict=True)) == 3
    good = [e for i, e in enumerate(broken_results) if i in (0, 7, 8, 11, 12, 13)]
    (folder / 'r.json').write_text(json.dumps(good))
    outcome = run_tool('refine.py', *command('r.json', 'out.json'))
    assert outcome.status == 0, outcome.err
    assert [p.name for p in folder.iterdir() if p.name.startswith('.')] == []
    assert 'is there already' in run_tool('refine.py', *command('r.json', 'out.json')).out


def test_other_annotations_are_another_run(run_tool, folder, command):
    """What an unfinished run kept is not taken for another image."""
    one, two = NAMES[FRAMES[0]], NAMES[FRAMES[1]]
    shutil.copy(folder / 'images' / one, folder / 'images' / 'same.png')
    with Image.open(folder / 'images' / one) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / 'images' / 'other.png')
    results = draw_results(folder / 'r.json', dict(zip(FRAMES, (1, 2), strict=True)))
    outs = []
    for name in ('same.png', 'other.png', one):
        images = [dict(id=1, file_name=name), dict(id=3, file_name=two)]
        (folder / 'a.json').write_text(json.dumps(dict(images=images)))
        options = '--annotations', folder / 'a.json'
        outcome = run_tool('refine.py', *command('r.json', 'out.json', *options))
        assert outcome.status == 1
        assert 'image_id 2 is not in the annotations' in outcome.err
        outs.append(json.loads((folder / 'out.json').read_text()))
    assert outs[0] == outs[2] != outs[1]
    assert outs[0] != results


@pytest.mark.parametrize(
    ('content', 'text'),
    [
        ('[{"image_id": 1, "segm', 'expected JSON, the file is broken or cut off'),
        ('', 'expected JSON, the file is broken or cut off'),
        ('{"annotations": []}', 'expected COCO results (a list of detections) or annotations (an'),
        ('[{"image_id": 1, "bbox": [1, 2, 3, 4]}]', 'no entry has a segmentation'),
        ('[{"image_id": 1.5, "segmentation": 0}]', 'entry 0: image_id must be a number or a text'),
    ],
)
def test_result_files_that_cannot_be_read(run_tool, folder, command, content, text):
    (folder / 'r.json').write_text(content)
    outcome = run_tool('refine.py', *command('r.json', 'out.json'))
    assert outcome.status == 1
    assert outcome.err.startswith(f'refine.py: error: {folder}/r.json: {text}')
    assert len(outcome.err.splitlines()) == 1
    assert not (folder / 'out.json').exists()


def test_empty_result_list(run_tool, folder, command):
    (folder / 'r.json').write_text('[]')
    outcome = run_tool('refine.py', *command('r.json', 'out.json'))
    assert outcome.status == 0
    assert outcome.err == (f'note: {folder}/r.json: there are no masks in it, nothing to refine\n')
    assert (folder / 'out.json').read_text() == '[]'


def test_numbers_of_several_images(run_tool, folder, command):
    for name in ('a_1.png', 'b_01.png'):
        shutil.copy(folder / 'images' / NAMES[FRAMES[0]], folder / 'images' / name)
    draw_results(folder / 'r.json', dict(zip(FRAMES, (1, 'a_1'), strict=True)))
    outcome = run_tool('refine.py', *command('r.json', 'out.json'))
    assert outcome.status == 1
    assert 'image_id 1 is the number of 2 images: ' in outcome.err
    assert 'a_1.png, ' in outcome.err


@pytest.fixture
def broken_folder(folder):
    """Return a result folder with every kind of broken mask; the second list has no image."""
    draw_cityscapes(folder / 'coarse')
    coarse, stem = folder / 'coarse', Path(FRAMES[0]).name + IMAGE_END
    (folder / 'outside.png').write_bytes(b'')
    height, width = SIZES[FRAMES[0]]
    empty = np.zeros((height, width), np.uint8)
    Image.fromarray(empty).save(coarse / 'empty.png')
    Image.fromarray(empty[:, 1:]).save(coarse / 'small.png')
    Image.fromarray(np.dstack([empty] * 3)).save(coarse / 'rgb.png')
    cut_mask = coarse / 'cut.png'
    shutil.copy(coarse / f'{stem}_0_thing.png', cut_mask)
    cut(cut_mask, 0.7)
    shutil.copy(coarse / f'{stem}_1_thing.png', coarse / 'unscored.png')
    lines = [
        f'{stem}_0_thing.png 24 0.5',
        'absent.png 24 0.4',
        'cut.png 24 0.4',
        'small.png 24 0.4',
        'rgb.png 24 0.4',
        'empty.png 24 0.4',
        '../outside.png 24 0.4',
        f'{coarse}/{stem}_0_thing.png 24 0.4',
        'unscored.png 24',
        f'{stem}_2_thing.png 33 0.3',
    ]
    (coarse / f'{stem}_pred.txt').write_text('\n'.join(lines))
    (folder / 'images' / NAMES[FRAMES[1]]).unlink()
    return coarse


def test_broken_cityscapes_results(run_fresh, folder, command, broken_folder):
    """In a process of its own, as a user sees it."""
    result = run_fresh(TOOL, *command('coarse', 'out'))
    assert result.returncode == 1
    assert 'Traceback' not in result.stderr
    stems = [Path(frame).name + IMAGE_END for frame in FRAMES]
    first, second = (broken_folder / f'{stem}_pred.txt' for stem in stems)
    image = folder / 'images' / NAMES[FRAMES[0]]
    relative = f'expected a path relative to the list and inside of {broken_folder}'
    assert sorted(failures(result.stderr)) == sorted(
        [
            f'{first}: line 2: {broken_folder}/absent.png: no such file',
            f'{first}: line 3: {broken_folder}/cut.png: expected a PNG, the file is broken or cut '
            'off',
            f'{first}: line 4: {broken_folder}/small.png: expected the size of {image}, 40x57 '
            '(height x width), got 40x56',
            f'{first}: line 5: {broken_folder}/rgb.png: expected a label map with one number a '
            'pixel (grey or palette PNG), got RGB colours; they have to be turned into label ids '
            'first',
            f'{first}: line 7: {relative}, got ../outside.png',
            f'{first}: line 8: {relative}, got {broken_folder}/{stems[0]}_0_thing.png',
            f'{first}: line 9: expected "PNG LABEL SCORE", got \'unscored.png 24\'',
            f'{second}: no image of that name',
        ]
    )
    assert f'note: {first}: line 6: the mask is all zero and stays so' in result.stderr
    out = folder / 'out'
    for path in (first, second):
        assert (out / path.name).read_bytes() == path.read_bytes()
    for index in (0, 2):
        name = f'{stems[0]}_{index}_thing.png'
        assert not np.array_equal(read_mask(out / name), read_mask(broken_folder / name))
    kept = ['cut.png', 'small.png', 'rgb.png', 'unscored.png']
    kept += [f'{stems[1]}_{index}_thing.png' for index in range(3)]
    for name in kept:
        assert (out / name).read_bytes() == (broken_folder / name).read_bytes(), name
    assert not read_mask(out / 'empty.png').any()


def test_broken_masks_are_tried_again(run_tool, folder, command):
    draw_cityscapes(folder / 'coarse')
    path = next((folder / 'coarse').glob('*_1_thing.png'))
    content = cut(path)
    outcome = run_tool('refine.py', *command('coarse', 'out'))
    assert (outcome.status, len(failures(outcome.err))) == (1, 1)
    assert str(path) in outcome.err
    assert 'written to' in outcome.err
    assert 'masks that failed are as they were' in outcome.err
    path.write_bytes(content)
    outcome = run_tool('refine.py', *command('coarse', 'out'))
    assert outcome.status == 0
    assert 'refined 1, skipped 1 already there' in outcome.out
    assert not np.array_equal(read_mask(folder / 'out' / path.name), read_mask(path))
    assert [p.name for p in (folder / 'out').glob('.*')] == ['.mmrefine.json']


def test_a_list_without_masks(run_tool, folder, command):
    draw_cityscapes(folder / 'coarse')
    path = next((folder / 'coarse').glob('*_pred.txt'))
    path.write_text('')
    outcome = run_tool('refine.py', *command('coarse', 'out'))
    assert outcome.status == 0
    assert outcome.err == f'note: {path}: the list is empty, nothing to refine\n'
    assert (folder / 'out' / path.name).read_bytes() == b''


@pytest.mark.parametrize('out', ['coarse', 'coarse/refined', 'images/refined'])
def test_cityscapes_inputs_are_never_overwritten(run_tool, folder, command, out):
    draw_cityscapes(folder / 'coarse')
    outcome = run_tool('refine.py', *command('coarse', out))
    assert outcome.status == 1
    assert f'{out}: expected a folder outside of' in outcome.err
