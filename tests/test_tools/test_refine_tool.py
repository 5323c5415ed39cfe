"""``tools/refine.py``: what comes out, in which form, and what a second run does."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from label_drawing import random_labels
from PIL import Image
from pycocotools import mask as coco_mask

from mmrefine.refiners import SegFixRefiner, load_image

NAMES = {'a.png': 'a', 'x/b.png': 'x/b', 'x/c.png': 'x/c', 'd.npy': 'd'}


def read(path: Path) -> np.ndarray:
    return np.load(path) if path.suffix == '.npy' else np.asarray(Image.open(path))


def files_below(folder: Path) -> list[str]:
    found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob('*') if p.is_file())
    return [name for name in found if name != '.mmrefine.json']


@pytest.mark.quick
def test_folder_of_every_form(run_tool, folders, checkpoint):
    outcome = run_tool(
        'refine.py', *(folders / n for n in ('images', 'masks', 'out')), '--checkpoint', checkpoint
    )
    assert outcome.status == 0, outcome.err
    assert files_below(folders / 'out') == sorted(NAMES)
    ignored = {'a.png': 255, 'x/b.png': 255, 'x/c.png': None, 'd.npy': None}
    changed = pixels = 0
    for name, stem in NAMES.items():
        before, after = read(folders / 'masks' / name), read(folders / 'out' / name)
        refiner = SegFixRefiner(checkpoint=checkpoint, ignore_index=ignored[name])
        expected = refiner.refine(folders / 'images' / f'{stem}.jpg', before)
        assert after.dtype == before.dtype
        assert np.array_equal(after, expected), name
        changed += np.count_nonzero(after != before)
        pixels += after.size
    assert changed > 0.01 * pixels
    assert f'refined 4; {100 * changed / pixels:.2f} % of pixels changed, ' in outcome.out
    assert outcome.err == ''
    with (
        Image.open(folders / 'masks' / 'a.png') as before,
        Image.open(folders / 'out' / 'a.png') as after,
    ):
        assert after.mode == 'P'
        assert after.getpalette()[:12] == before.getpalette()[:12]


def test_saved_offsets_give_the_same_without_a_network(run_tool, folders, checkpoint):
    inputs = folders / 'images', folders / 'masks'
    run_tool(
        'refine.py', *inputs, folders / 'out', '--checkpoint', checkpoint, '--scale', 3,
        '--save-offsets', folders / 'offsets',
    )  # fmt: skip
    assert files_below(folders / 'offsets') == ['a.npz', 'd.npz', 'x/b.npz', 'x/c.npz']
    for image in (folders / 'images').rglob('*.jpg'):
        image.write_bytes(b'not read')
    outcome = run_tool(
        'refine.py', *inputs, folders / 'again', '--scale', 3, '--offsets', folders / 'offsets'
    )
    assert outcome.status == 0, outcome.err
    for name in NAMES:
        assert np.array_equal(read(folders / 'out' / name), read(folders / 'again' / name))


def test_missing_offsets_are_made_up_for(run_tool, folders, checkpoint):
    args = [folders / n for n in ('images', 'masks', 'out')]
    args += ['--checkpoint', checkpoint, '--save-offsets', folders / 'offsets']
    run_tool('refine.py', *args)
    (folders / 'offsets' / 'x' / 'b.npz').unlink()
    outcome = run_tool('refine.py', *args)
    assert 'refined 1, skipped 3 already there' in outcome.out
    assert 'written to' in outcome.out
    assert (folders / 'offsets' / 'x' / 'b.npz').is_file()
    outcome = run_tool('refine.py', *args)
    assert 'refined 0, skipped 4 already there' in outcome.out
    assert 'written to' not in outcome.out
    assert '--overwrite refines them again' in outcome.out


@pytest.fixture
def cityscapes(tmp_path):
    """Return a folder named and numbered as Cityscapes, offsets as the released SegFix has them."""
    labels = random_labels(3, 20, 31).astype(np.uint8)
    ids = np.select([labels == 0, labels == 1, labels == 2], [7, 26, 4], 33).astype(np.uint8)
    rng = np.random.default_rng(0)
    field = rng.integers(-1, 2, (20, 31, 2))
    for folder in ('leftImg8bit/ulm', 'labels', 'offsets'):
        (tmp_path / folder).mkdir(parents=True)
    stem = 'ulm_000001_000019'
    Image.new('RGB', (31, 20)).save(tmp_path / 'leftImg8bit' / 'ulm' / f'{stem}_leftImg8bit.png')
    Image.fromarray(ids).save(tmp_path / 'labels' / f'{stem}_gtFine_labelIds.png')
    scipy.io.savemat(tmp_path / 'offsets' / f'{stem}_leftImg8bit.mat', {'mat': field})
    return tmp_path, ids, field


def test_cityscapes_labels_with_the_released_offsets(run_tool, cityscapes):
    folder, ids, field = cityscapes
    outcome = run_tool(
        'refine.py', folder / 'leftImg8bit', folder / 'labels', folder / 'out',
        '--image-suffix', '_leftImg8bit', '--mask-suffix', '_gtFine_labelIds',
        '--label-ids', 'cityscapes', '--offsets', folder / 'offsets',
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    refined = read(folder / 'out' / 'ulm_000001_000019_gtFine_labelIds.png')
    expected = ids.copy()
    for y, x in np.ndindex(ids.shape):
        source = np.clip((y, x) + 2 * field[y, x], 0, (19, 30))
        if ids[y, x] != 4 and ids[tuple(source)] != 4:  # 4: static, a void class
            expected[y, x] = ids[tuple(source)]
    assert np.array_equal(refined, expected)
    assert (refined == 4).sum() == (ids == 4).sum()
    assert (refined != ids).any()


def test_names_that_end_differently(run_tool, cityscapes):
    """Not a line for each of them, but what to do about it."""
    folder, _, _ = cityscapes
    outcome = run_tool(
        'refine.py', folder / 'leftImg8bit', folder / 'labels', folder / 'out',
        '--offsets', folder / 'offsets',
    )  # fmt: skip
    assert outcome.status == 1
    assert len(outcome.err.splitlines()) == 1
    assert 'ulm_000001_000019_gtFine_labelIds.png: no label map has the name of' in outcome.err
    assert '--image-suffix and --mask-suffix say how' in outcome.err


def test_one_image_and_a_pattern(run_tool, folders, checkpoint):
    image, mask = folders / 'images' / 'a.jpg', folders / 'masks' / 'a.png'
    outcome = run_tool('refine.py', image, mask, folders / 'one.png', '--checkpoint', checkpoint)
    assert outcome.status == 0, outcome.err
    pattern = folders / 'images' / '?.jpg'
    outcome = run_tool(
        'refine.py', pattern, folders / 'masks', folders / 'out', '--checkpoint', checkpoint
    )
    assert outcome.status == 0, outcome.err
    assert files_below(folders / 'out') == ['a.png', 'd.npy']
    assert np.array_equal(read(folders / 'one.png'), read(folders / 'out' / 'a.png'))


def test_second_run_does_only_what_is_missing(run_tool, folders, checkpoint):
    args = [folders / n for n in ('images', 'masks', 'out')] + ['--checkpoint', checkpoint]
    run_tool('refine.py', *args)
    before = {name: (folders / 'out' / name).stat().st_mtime_ns for name in NAMES}
    content = (folders / 'out' / 'a.png').read_bytes()
    (folders / 'out' / 'd.npy').unlink()
    (folders / 'out' / 'a.png').write_bytes(content[:60])
    outcome = run_tool('refine.py', *args)
    assert outcome.status == 0
    assert 'refined 2, skipped 2 already there' in outcome.out
    assert (folders / 'out' / 'a.png').read_bytes() == content
    for name in ('x/b.png', 'x/c.png'):
        assert (folders / 'out' / name).stat().st_mtime_ns == before[name]
    assert 'refined 4;' in run_tool('refine.py', *args, '--overwrite').out
    for name in NAMES:
        assert (folders / 'out' / name).stat().st_mtime_ns > before[name]


def test_settings_of_a_config_hold_unless_given(run_tool, folders, checkpoint):
    config = folders / 'refiner.py'
    config.write_text(
        f"refiner = dict(type='mmrefine.SegFixRefiner', checkpoint={str(checkpoint)!r}, "
        'scale=3, ignore_index=1)'
    )
    inputs = folders / 'images' / 'a.jpg', folders / 'masks' / 'a.png'
    labels = read(inputs[1])
    for options, scale, ignored in (
        ([], 3, 1),
        (['--scale', 1, '--ignore-index', 0], 1, 0),
        (['--ignore-index', 'none'], 3, None),
    ):
        outcome = run_tool(
            'refine.py', *inputs, folders / 'out.png', '--config', config, '--overwrite', *options
        )
        assert outcome.status == 0, outcome.err
        refiner = SegFixRefiner(checkpoint=checkpoint, scale=scale, ignore_index=ignored)
        assert np.array_equal(read(folders / 'out.png'), refiner.refine(inputs[0], labels))


def test_binary_masks_are_pointed_out(run_tool, folders, checkpoint):
    mask = (read(folders / 'masks' / 'a.png') == 1).astype(np.uint8) * 255
    Image.fromarray(mask).save(folders / 'mask.png')
    args = [folders / 'images' / 'a.jpg', folders / 'mask.png', folders / 'out.png']
    args += ['--checkpoint', checkpoint]
    outcome = run_tool('refine.py', *args)
    assert outcome.status == 0
    assert 'note: some label maps hold only 0 and 255' in outcome.err
    assert np.array_equal(read(folders / 'out.png'), mask)
    outcome = run_tool('refine.py', *args, '--ignore-index', 'none', '--overwrite')
    assert outcome.err == ''
    assert not np.array_equal(read(folders / 'out.png'), mask)


@pytest.fixture
def results(folders):
    """Return a COCO result file on ``images``, and its annotations."""
    rng = np.random.default_rng(5)
    images, entries = [], []
    for image_id, name in ((11, 'x/b'), (4, 'a'), (7, 'd')):
        with Image.open(folders / 'images' / f'{name}.jpg') as image:
            width, height = image.size
        images.append({'id': image_id, 'file_name': f'{name}.jpg'})
        for label in range(3):
            mask = (random_labels(image_id, height, width) == label).astype(np.uint8, order='F')
            rle = coco_mask.encode(mask)
            segmentation = {'size': rle['size'], 'counts': rle['counts'].decode()}
            entry = {'image_id': image_id, 'category_id': label, 'score': rng.random()}
            entries.append({**entry, 'segmentation': segmentation, 'bbox': [1.5, 2, 3, 4]})
    entries[4]['segmentation'] = [[2.0, 3.0, 30.0, 3.0, 30.0, 30.0, 2.0, 30.0]]
    entries[5]['segmentation'] = {'size': entries[5]['segmentation']['size'], 'counts': [40 * 57]}
    rng.shuffle(entries)
    (folders / 'results.json').write_text(json.dumps(entries))
    (folders / 'annotations.json').write_text(json.dumps({'images': images}))
    return folders / 'results.json', folders / 'annotations.json'


def as_mask(segmentation, height: int, width: int) -> np.ndarray:
    if isinstance(segmentation, list):
        segmentation = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation['counts'], list):
        segmentation = coco_mask.frPyObjects(segmentation, height, width)
    return coco_mask.decode(segmentation)


def test_coco_results(run_tool, folders, results, checkpoint):
    args = [folders / 'images', results[0], folders / 'out.json', '--annotations', results[1]]
    outcome = run_tool('refine.py', *args, '--checkpoint', checkpoint)
    assert outcome.status == 0, outcome.err
    assert 'refined 3; ' in outcome.out
    assert '% of mask area changed' in outcome.out
    names = {i['id']: i['file_name'] for i in json.loads(results[1].read_text())['images']}
    refiner = SegFixRefiner(checkpoint=checkpoint)
    before = json.loads(results[0].read_text())
    after = json.loads((folders / 'out.json').read_text())
    assert len(after) == len(before) == 9
    changed = 0
    for old, new in zip(before, after, strict=True):
        image = folders / 'images' / names[old['image_id']]
        offset = refiner.predict_offset(image)
        mask = as_mask(old['segmentation'], *offset.shape[1:])
        found = as_mask(new['segmentation'], *mask.shape) > 0
        expected = refiner.refine(image, mask[None])[0] > 0
        wrong = np.count_nonzero(found != expected)
        of_polygons = isinstance(old['segmentation'], list)
        assert wrong <= (0.01 * np.count_nonzero(found | expected) if of_polygons else 0)
        assert isinstance(new['segmentation'], list) == of_polygons, 'polygons stay polygons'
        changed += old['segmentation'] != new['segmentation']
        assert {k: v for k, v in old.items() if k != 'segmentation'} == {
            k: v for k, v in new.items() if k != 'segmentation'
        }
    assert changed == 8, 'one of them is empty, and stays as it is'
    where = next(
        i
        for i, e in enumerate(before)
        if 'counts' in e['segmentation'] and isinstance(e['segmentation']['counts'], list)
    )
    assert outcome.err == f'note: {results[0]}: entry {where}: the mask is all zero and stays so\n'
    assert not list(folders.glob('.*')), 'no folder of parts is left'
    outcome = run_tool('refine.py', *args, '--checkpoint', checkpoint)
    assert outcome.status == 0
    assert 'is there already' in outcome.out


def test_coco_results_go_on_after_a_failure(run_tool, folders, results, checkpoint):
    args = [folders / 'images', results[0], folders / 'out.json', '--annotations', results[1]]
    args += ['--checkpoint', checkpoint]
    content = (folders / 'images' / 'd.jpg').read_bytes()
    (folders / 'images' / 'd.jpg').write_bytes(content[:300])
    outcome = run_tool('refine.py', *args)
    assert outcome.status == 1
    assert f': image: {folders}/images/d.jpg is not an image, or is incomplete' in outcome.err
    assert 'out.json; masks that failed are as they were' in outcome.err
    names = {i['id']: i['file_name'] for i in json.loads(results[1].read_text())['images']}
    before, after = (json.loads(p.read_text()) for p in (results[0], folders / 'out.json'))
    assert len(before) == len(after)
    changed = {names[a['image_id']] for a, b in zip(after, before, strict=True) if a != b}
    assert changed
    assert 'd.jpg' not in changed
    (folders / 'images' / 'd.jpg').write_bytes(content)
    outcome = run_tool('refine.py', *args)
    assert outcome.status == 0, outcome.err
    assert 'refined 1, skipped 2 already there' in outcome.out
    resumed = (folders / 'out.json').read_bytes()
    outcome = run_tool('refine.py', *args, '--overwrite')
    assert 'refined 3;' in outcome.out
    assert (folders / 'out.json').read_bytes() == resumed


def test_half_done_results_of_other_settings_are_not_reused(run_tool, folders, results, checkpoint):
    args = [folders / 'images', results[0], folders / 'out.json', '--annotations', results[1]]
    args += ['--checkpoint', checkpoint]
    content = (folders / 'images' / 'd.jpg').read_bytes()
    (folders / 'images' / 'd.jpg').unlink()
    run_tool('refine.py', *args)
    (folders / 'images' / 'd.jpg').write_bytes(content)
    outcome = run_tool('refine.py', *args, '--scale', 1)
    assert 'refined 3;' in outcome.out


def test_coco_results_without_detections(run_tool, folders, results, checkpoint):
    results[0].write_text('[]')
    args = [folders / 'images', results[0], folders / 'out.json', '--annotations', results[1]]
    outcome = run_tool('refine.py', *args, '--checkpoint', checkpoint)
    assert outcome.status == 0, outcome.err
    assert json.loads((folders / 'out.json').read_text()) == []


@pytest.fixture
def own_files(folders, monkeypatch):
    """Images as floats in ``.npy`` files, and in the current folder what reads them."""
    place = folders / 'own'
    for path in sorted((folders / 'images').rglob('*.jpg')):
        target = place / 'scans' / path.relative_to(folders / 'images').with_suffix('.npy')
        target.parent.mkdir(parents=True, exist_ok=True)
        np.save(target, load_image(path)[..., ::-1].astype(np.float32) / 255)
    (place / 'scan_files.py').write_text(
        'import numpy as np\n\n\ndef read(path):\n'
        '    rgb = np.load(path) * 255\n    return np.rint(rgb[..., ::-1]).astype(np.uint8)\n\n\n'
        'def read_halves(path):\n    return read(path)[::2]\n'
    )
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, 'path', [part for part in sys.path if part not in ('', '.')])
    yield place
    sys.modules.pop('scan_files', None)


def test_a_loader_of_ones_own(run_tool, folders, own_files, checkpoint):
    """From the current folder, for files that no reader here knows."""
    common = '--checkpoint', checkpoint, '--visualize'
    plain = folders / 'images', folders / 'masks', folders / 'plain'
    assert run_tool('refine.py', *plain, *common, folders / 'plain_pictures').status == 0
    scans = 'scans/**/*.npy', folders / 'masks', folders / 'out'
    words = *scans, *common, folders / 'pictures', '--loader', 'scan_files:read'
    outcome = run_tool('refine.py', *words)
    assert (outcome.status, outcome.err) == (0, '')
    for kind, other in (('out', 'plain'), ('pictures', 'plain_pictures')):
        assert files_below(folders / kind) == files_below(folders / other)
        for name in files_below(folders / kind):
            found, expected = read(folders / kind / name), read(folders / other / name)
            assert np.array_equal(found, expected), name


@pytest.mark.parametrize(
    ('loader', 'text'),
    [
        ('scan_files', "loader: expected 'module:function', got 'scan_files'"),
        ('scan_files:reed', "scan_files:reed: module 'scan_files' has no attribute 'reed'"),
        ('no_such_file:read', "no_such_file:read: No module named 'no_such_file'"),
        ('scan_files:np', 'loader: expected a function, got module'),
        ('scan_files:read_halves', 'a.png: expected the size of'),
        (None, 'is not an image, or is incomplete'),
    ],
)
def test_loaders_that_do_not_work(run_tool, folders, own_files, checkpoint, loader, text):
    words = ['scans/a*.npy', folders / 'masks', folders / 'out', '--checkpoint', checkpoint]
    words += ['--loader', loader] if loader else []
    outcome = run_tool('refine.py', *words)
    assert outcome.status == 1
    assert text in outcome.err
    assert not (folders / 'out').exists()
