"""``tools/refine.py --visualize --ground-truth``: fixed and broken pixels are told apart."""

import json
import shutil

import cv2
import numpy as np
import pytest
from instance_drawing import (
    IMAGE_END,
    SIZES,
    draw_cityscapes,
    draw_images,
    draw_results,
    encode,
    masks_of,
)
from label_drawing import random_labels
from PIL import Image

from mmrefine.apis import draw_refinement
from mmrefine.pictures.changes import Changes
from mmrefine.refiners import BPRRefiner, load_image

NAMES = {'a': ('png', 255), 'x/b': ('png', 255), 'x/c': ('png', None), 'd': ('npy', None)}
LEFT_OUT = 2  # the number of the true instance that annotations lack


def read(path):
    return np.load(path) if path.suffix == '.npy' else np.asarray(Image.open(path))


@pytest.fixture
def refine(run_tool, folders, checkpoint):
    """Refine the label maps of ``folders``, whose truth is a little to their right."""
    for name, (kind, _) in NAMES.items():
        path = folders / 'truth' / f'{name}.{kind}'
        path.parent.mkdir(parents=True, exist_ok=True)
        labels = np.roll(read(folders / 'masks' / f'{name}.{kind}'), 2, axis=1)
        if kind == 'npy':
            np.save(path, labels)
        else:
            Image.fromarray(labels).save(path)

    def run(*options, masks='masks', out='out'):
        places = [folders / name for name in ('images', masks, out)]
        return run_tool('refine.py', *places, '--checkpoint', checkpoint, *options)

    return run


def expected_picture(folders, name):
    """As the picture function draws it, which is tested on its own."""
    kind, ignore_index = NAMES[name]
    before, after, truth = (
        read(folders / part / f'{name}.{kind}') for part in ('masks', 'out', 'truth')
    )
    image = load_image(folders / 'images' / f'{name}.jpg')
    assert (before != after).any()
    return draw_refinement(image, before, after, truth, ignore_index=ignore_index)


def test_label_maps(refine, folders):
    outcome = refine('--visualize', folders / 'pictures', '--ground-truth', folders / 'truth')
    assert (outcome.status, outcome.err) == (0, '')
    for name in NAMES:
        picture = cv2.imread(str(folders / 'pictures' / f'{name}.png'))
        assert np.array_equal(picture, expected_picture(folders, name)), name


def test_one_label_map(run_tool, refine, folders, checkpoint):
    places = [folders / name for name in ('images/x/b.jpg', 'masks/x/b.png', 'out/x/b.png')]
    truth = folders / 'hand_drawn.png'
    shutil.copy(folders / 'truth' / 'x' / 'b.png', truth)
    outcome = run_tool(
        'refine.py', *places, '--checkpoint', checkpoint,
        '--visualize', folders / 'pictures', '--ground-truth', truth,
    )  # fmt: skip
    assert (outcome.status, outcome.err) == (0, '')
    picture = cv2.imread(str(folders / 'pictures' / 'b.png'))
    assert np.array_equal(picture, expected_picture(folders, 'x/b'))


def test_names_with_ends(run_tool, tmp_path, checkpoint):
    """Predictions named as the images, as mmseg writes them; Cityscapes' ground truth."""
    labels = random_labels(1, 30, 43)
    image = np.random.default_rng(0).integers(0, 256, (30, 43, 3), dtype=np.uint8)
    for folder, name, content in (
        ('images/ulm', 'ulm_1_leftImg8bit', image),
        ('masks', 'ulm_1_leftImg8bit', labels),
        ('truth/ulm', 'ulm_1_gtFine_labelTrainIds', labels),
        ('truth/ulm', 'ulm_1_gtFine_instanceTrainIds', 0 * labels),
    ):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / folder / f'{name}.png'), content)
    outcome = run_tool(
        'refine.py', *(tmp_path / name for name in ('images', 'masks', 'out')),
        '--checkpoint', checkpoint, '--visualize', tmp_path / 'pictures',
        '--ground-truth', tmp_path / 'truth', '--gt-suffix', '_gtFine_labelTrainIds',
        '--image-suffix', '_leftImg8bit', '--mask-suffix', '_leftImg8bit',
    )  # fmt: skip
    assert (outcome.status, outcome.err) == (0, '')
    (picture,) = (tmp_path / 'pictures').rglob('*.png')
    after = read(tmp_path / 'out' / 'ulm_1_leftImg8bit.png')
    assert np.array_equal(cv2.imread(str(picture)), draw_refinement(image, labels, after, labels))


def true_masks(frame):
    """Bool (3, H, W): those of the predictions, to be found by overlap."""
    true = np.roll(masks_of(frame), 1, axis=2)
    for number, mask in enumerate(masks_of(frame)):
        overlaps = [(mask & t).sum() / (mask | t).sum() for t in true]
        assert np.argmax(overlaps) == number
        assert max(overlaps) > 0.55
    return true


def annotations(**changed):
    """COCO annotations of other categories and order than the results, one instance left out."""
    images, entries = [], []
    for number, (frame, (height, width)) in enumerate(SIZES.items()):
        name = f'{frame}{IMAGE_END}.png'
        images.append(dict(id=50 - number, file_name=name, height=height, width=width))
        crowd = dict(segmentation=encode(masks_of(frame)[LEFT_OUT]), iscrowd=1)
        for entry in (crowd, *(dict(segmentation=encode(m)) for m in true_masks(frame)[1::-1])):
            entries.append(dict(id=len(entries), image_id=50 - number, category_id=1) | entry)
    entries[-1] |= changed
    return dict(images=images, annotations=entries, categories=[dict(id=1, name='thing')])


@pytest.fixture
def refine_instances(run_tool, tmp_path, bpr_checkpoint, monkeypatch):
    """Refine results in parts of two masks, with given annotations."""
    for module in ('masks_of_image', 'cityscapes'):
        monkeypatch.setattr(f'mmrefine.batch.{module}.CHUNK', 2)
    draw_images(tmp_path / 'images')

    def run(kind, truth):
        (tmp_path / 'truth.json').write_text(json.dumps(truth))
        if kind == 'COCO results':
            masks, out = tmp_path / 'results.json', tmp_path / 'out.json'
            draw_results(masks, {frame: f'{frame.split("/")[1]}{IMAGE_END}' for frame in SIZES})
        else:
            masks, out = tmp_path / 'results', tmp_path / 'out'
            draw_cityscapes(masks)
        return run_tool(
            'refine.py', tmp_path / 'images', masks, out, '--method', 'bpr',
            '--checkpoint', bpr_checkpoint, '--visualize', tmp_path / 'pictures',
            '--ground-truth', tmp_path / 'truth.json',
        )  # fmt: skip

    return run


@pytest.mark.parametrize('kind', ['COCO results', 'Cityscapes results'])
def test_instances(refine_instances, tmp_path, bpr_checkpoint, kind):
    """A mask without a true one is drawn, but is judged by none."""
    outcome = refine_instances(kind, annotations())
    assert (outcome.status, outcome.err) == (0, '')
    refiner = BPRRefiner(checkpoint=bpr_checkpoint)
    for frame in SIZES:
        path = tmp_path / 'images' / f'{frame}{IMAGE_END}.png'
        before, true = masks_of(frame), true_masks(frame)
        after = refiner.refine(path, before)
        true[LEFT_OUT] = False
        worse = ((after != true).astype(int) - (before != true))[:LEFT_OUT].sum(axis=0)
        changed = (before != after).any(axis=0)
        changes = Changes(worse < 0, worse > 0, changed & (worse == 0))
        assert all(each.any() for each in (changes.fixed, changes.broken, changes.other))
        expected = draw_refinement(load_image(path), before, after, true, changes=changes)
        picture = cv2.imread(str(tmp_path / 'pictures' / f'{frame}{IMAGE_END}.png'))
        assert np.array_equal(picture, expected), frame


def test_truth_that_does_not_fit_costs_the_picture_alone(refine, folders):
    (folders / 'truth' / 'a.png').unlink()
    Image.fromarray(np.zeros((9, 8), np.uint8)).save(folders / 'truth' / 'x' / 'b.png')
    (folders / 'truth' / 'd.npy').write_bytes(b'broken')
    options = '--visualize', folders / 'pictures', '--ground-truth', folders / 'truth'
    outcome = refine(*options)
    assert outcome.status == 1
    assert 'refined 4, failed 3' in outcome.out
    assert sorted(p.name for p in (folders / 'out').rglob('[!.]*.*')) == [
        'a.png', 'b.png', 'c.png', 'd.npy',
    ]  # fmt: skip
    assert [p.name for p in (folders / 'pictures').rglob('*.png')] == ['c.png']
    lines = outcome.err.splitlines()
    for line, name, text in zip(
        lines,
        ('a', 'd', 'x/b'),
        (
            f'its ground truth in {folders / "truth"}: no image of that name',
            f'{folders / "truth" / "d.npy"}: expected a numpy array, the file is broken',
            f'{folders / "truth" / "x" / "b.png"}: expected the size of the image, 44x54 (height x '
            'width), got 9x8',
        ),
        strict=True,
    ):
        assert line.startswith(f'failed: picture of {folders / "images" / name}.jpg: {text}'), line
    shutil.copy(folders / 'masks' / 'a.png', folders / 'truth' / 'a.png')
    assert 'refined 3, skipped 1 already there, failed 2' in refine(*options).out


def test_annotations_that_do_not_fit_cost_the_picture_alone(refine_instances, tmp_path):
    truth = annotations(segmentation=dict(size=[3, 4], counts=[12]))
    truth['images'][0]['file_name'] = 'other.png'
    outcome = refine_instances('COCO results', truth)
    assert outcome.status == 1
    assert 'refined 2, failed 2' in outcome.out
    assert len(json.loads((tmp_path / 'out.json').read_text())) == 6
    assert not (tmp_path / 'pictures').exists()
    assert 'truth.json: no image of that name' in outcome.err
    assert 'a true mask: size (3, 4) is not the size (52, 45) of the image' in outcome.err


VISUALIZE = ('--visualize', 'pictures')


@pytest.mark.parametrize(
    ('options', 'status', 'text'),
    [
        (['--ground-truth', 'truth'], 2, '--ground-truth: has no effect without --visualize'),
        (['--gt-suffix', '_x', *VISUALIZE], 2, '--gt-suffix: has no effect without --ground-truth'),
        (['--ground-truth', 'truth', '--visualize', 'v.mp4'], 2, 'has no effect on a video, which'),
        (['--ground-truth', 'none', *VISUALIZE], 1, 'none: no such file or folder'),
        (['--ground-truth', 'images', *VISUALIZE], 1, 'images: found no file whose name ends with'),
        (['--ground-truth', 'out', *VISUALIZE], 1, 'expected a place outside of the ground truth'),
        (['--ground-truth', '.', *VISUALIZE], 1, 'expected a place outside of the ground truth, '),
        (
            ['--ground-truth', 'truth', '--visualize', 'truth/p'],
            1,
            '--visualize: expected a place outside of the ground truth',
        ),
    ],
)
def test_options_that_do_not_fit(refine, folders, options, status, text, monkeypatch):
    monkeypatch.chdir(folders)
    outcome = refine(*options)
    assert outcome.status == status
    assert text in outcome.err
    assert not (folders / 'out').exists()
    assert not (folders / 'pictures').exists()


def test_annotations_that_are_none(run_tool, tmp_path):
    draw_images(tmp_path / 'images')
    draw_results(tmp_path / 'r.json', {frame: frame for frame in SIZES})
    places = tmp_path / 'images', tmp_path / 'r.json', tmp_path / 'out.json'
    options = '--visualize', tmp_path / 'pictures', '--ground-truth', tmp_path / 'r.json'
    outcome = run_tool('refine.py', *places, *options, '--device', 'cpu')
    assert outcome.status == 1
    assert 'r.json: expected COCO annotations' in outcome.err
    outcome = run_tool('refine.py', *places, *options, '--gt-suffix', '_x')
    assert (outcome.status, 'unrecognized arguments: --gt-suffix _x' in outcome.err) == (
        2,
        True,
    )
    assert not (tmp_path / 'out.json').exists()
