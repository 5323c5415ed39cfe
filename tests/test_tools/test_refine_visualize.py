"""``tools/refine.py --visualize``: pictures of all kinds of masks, and a video."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from instance_drawing import IMAGE_END, SIZES, draw_cityscapes, draw_images, draw_results, masks_of
from PIL import Image

from mmrefine.apis import draw_refinement
from mmrefine.refiners import BPRRefiner, load_image


def read(path: Path) -> np.ndarray:
    return np.load(path) if path.suffix == '.npy' else np.asarray(Image.open(path))


def files_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob('*') if p.is_file())


@pytest.fixture
def refine(run_tool, folders, checkpoint):
    """Refine the label maps of ``folders``, with further options."""

    def run(*options):
        places = [folders / name for name in ('images', 'masks', 'out')]
        return run_tool('refine.py', *places, '--checkpoint', checkpoint, *options)

    return run


def test_label_maps(refine, folders):
    outcome = refine('--visualize', folders / 'pictures')
    assert (outcome.status, outcome.err) == (0, '')
    assert files_below(folders / 'pictures') == ['a.png', 'd.png', 'x/b.png', 'x/c.png']
    for name, kind in (('a', 'png'), ('x/b', 'png'), ('x/c', 'png'), ('d', 'npy')):
        before, after = (read(folders / part / f'{name}.{kind}') for part in ('masks', 'out'))
        expected = draw_refinement(load_image(folders / 'images' / f'{name}.jpg'), before, after)
        picture = cv2.imread(str(folders / 'pictures' / f'{name}.png'))
        assert np.array_equal(picture, expected), name


def test_pictures_that_are_missing_are_made_up_for(refine, folders):
    assert 'refined 4;' in refine().out
    where = folders / 'pictures'
    assert 'refined 4;' in refine('--visualize', where).out
    assert 'skipped 4 already there' in refine('--visualize', where).out
    (where / 'x' / 'b.png').unlink()
    assert 'refined 1, skipped 3 already there' in refine('--visualize', where).out
    assert len(files_below(where)) == 4


@pytest.mark.parametrize('kind', ['COCO results', 'Cityscapes results'])
def test_instances(run_tool, tmp_path, bpr_checkpoint, kind, monkeypatch):
    """Masks that are refined in several parts come together in one picture."""
    for module in ('masks_of_image', 'cityscapes'):
        monkeypatch.setattr(f'mmrefine.batch.{module}.CHUNK', 2)
    draw_images(tmp_path / 'images')
    if kind == 'COCO results':
        masks, out = tmp_path / 'results.json', tmp_path / 'out.json'
        draw_results(masks, {frame: f'{Path(frame).name}{IMAGE_END}' for frame in SIZES})
    else:
        masks, out = tmp_path / 'results', tmp_path / 'out'
        draw_cityscapes(masks)
    outcome = run_tool(
        'refine.py', tmp_path / 'images', masks, out, '--method', 'bpr',
        '--checkpoint', bpr_checkpoint, '--visualize', tmp_path / 'pictures',
    )  # fmt: skip
    assert (outcome.status, outcome.err) == (0, '')
    pictures = sorted((tmp_path / 'pictures').rglob('*.png'))
    assert len(pictures) == len(SIZES)
    refiner = BPRRefiner(checkpoint=bpr_checkpoint)
    for frame in SIZES:
        (path,) = [p for p in pictures if Path(frame).name in p.name]
        image = next((tmp_path / 'images').rglob(f'{path.stem}.*'))
        coarse = masks_of(frame)
        expected = draw_refinement(load_image(image), coarse, refiner.refine(image, coarse))
        assert np.array_equal(cv2.imread(str(path)), expected)


def same_size(folders: Path) -> None:
    """Give all images the size of the first."""
    labels = read(folders / 'masks' / 'a.png')
    for name in ('x/b', 'x/c', 'd'):
        shutil.copy(folders / 'images' / 'a.jpg', folders / 'images' / f'{name}.jpg')
    for name in ('x/b.png', 'x/c.png'):
        cv2.imwrite(str(folders / 'masks' / name), labels)
    np.save(folders / 'masks' / 'd.npy', labels)


def test_video_of_an_image_sequence(refine, folders):
    same_size(folders)
    video = folders / 'new' / 'v.mp4'
    for _ in range(2):  # the second time, all label maps are there
        outcome = refine('--visualize', video, '--fps', 5)
        assert (outcome.status, outcome.err) == (0, '')
        assert 'refined 4;' in outcome.out
        capture = cv2.VideoCapture(str(video))
        assert capture.get(cv2.CAP_PROP_FPS) == 5
        assert sum(iter(lambda capture=capture: capture.grab(), False)) == 4
    assert files_below(folders / 'new') == ['v.mp4']


def test_images_of_another_size_do_not_fit_in_a_video(refine, folders):
    """But they are refined."""
    outcome = refine('--visualize', folders / 'v.mp4')
    assert outcome.status == 1
    assert 'refined 4, failed 3' in outcome.out
    assert outcome.err.count('all frames of a video have one size') == 3
    assert f'failed: picture of {folders / "images" / "d.jpg"}: d: expected a pic' in outcome.err
    assert files_below(folders / 'out') == [
        '.mmrefine.json',
        'a.png',
        'd.npy',
        'x/b.png',
        'x/c.png',
    ]


@pytest.mark.parametrize(
    ('options', 'status', 'text'),
    [
        (['--visualize', 'images'], 1, 'expected a place outside of IMAGES'),
        (['--visualize', 'masks/x'], 1, 'expected a place outside of MASKS'),
        (['--visualize', 'out'], 1, 'expected a place outside of OUT'),
        (['--visualize', 'v.avi'], 1, r'v.avi: expected a video .mp4'),
        (['--visualize', 'v.mp4', '--fps', '-1'], 1, 'fps: expected more than 0, got -1'),
        (['--visualize', 'v.mp4', '--fps', '0'], 1, 'fps: expected more than 0, got 0'),
        (['--visualize', 'v', '--fps', '3'], 2, '--fps: has no effect without --visualize VIDEO'),
        (['--visualize', 'v.mp4', '--launcher', 'pytorch'], 2, 'a video is made by one process'),
    ],
)
def test_options_that_do_not_fit(refine, folders, options, status, text, monkeypatch):
    monkeypatch.chdir(folders)
    outcome = refine(*options)
    assert outcome.status == status
    assert text in outcome.err
    assert not (folders / 'out').exists()
