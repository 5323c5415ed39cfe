"""``tools/refine.py`` on a video and one label map for each frame."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from moving_scene import moving_scene

from mmrefine.apis import build_refiner
from mmrefine.refiners.steady import refine_video

SIZE = (36, 52)
NUMBER = 4


def square(number):
    labels = np.zeros(SIZE, np.uint8)
    labels[8:26, 5 + 3 * number : 25 + 3 * number] = 1
    return labels


@pytest.fixture
def clip(tmp_path):
    """A video of a bright square on its way, 12 frames a second."""
    writer = cv2.VideoWriter(
        str(tmp_path / 'clip.mp4'), cv2.VideoWriter.fourcc(*'mp4v'), 12, SIZE[::-1]
    )
    (tmp_path / 'labels' / 'x').mkdir(parents=True)
    for number in range(NUMBER):
        labels = square(number)
        writer.write(cv2.cvtColor(30 + 180 * labels, cv2.COLOR_GRAY2BGR))
        cv2.imwrite(str(tmp_path / 'labels' / 'x' / f'{number:03d}_ids.png'), labels)
    writer.release()
    return tmp_path / 'clip.mp4'


def test_as_its_frames_in_a_folder(run_tool, clip, tmp_path):
    args = [tmp_path / 'labels', tmp_path / 'out', '--method', 'bpr', '--min-score-gain', 0]
    args += ['--mask-suffix', '_ids']
    video = tmp_path / 'seen' / 'refined.mp4'
    outcome = run_tool('refine.py', clip, *args, '--visualize', video)
    assert (outcome.status, outcome.err) == (0, '')
    assert f'refined {NUMBER};' in outcome.out
    seen = cv2.VideoCapture(str(video))
    assert seen.get(cv2.CAP_PROP_FPS) == 12
    assert seen.get(cv2.CAP_PROP_FRAME_COUNT) == NUMBER

    capture = cv2.VideoCapture(str(clip))
    (tmp_path / 'frames' / 'x').mkdir(parents=True)
    for number in range(NUMBER):
        cv2.imwrite(str(tmp_path / 'frames' / 'x' / f'{number:03d}.png'), capture.read()[1])
    args[1] = tmp_path / 'again'
    assert run_tool('refine.py', tmp_path / 'frames', *args).status == 0
    refined = sorted((tmp_path / 'out').rglob('*.png'))
    again = sorted((tmp_path / 'again').rglob('*.png'))
    assert [p.name for p in refined] == [f'{number:03d}_ids.png' for number in range(NUMBER)]
    assert [p.read_bytes() for p in refined] == [p.read_bytes() for p in again]

    refined[2].unlink()
    outcome = run_tool('refine.py', clip, *args[:1], tmp_path / 'out', *args[2:])
    assert f'refined 1, skipped {NUMBER - 1} already there' in outcome.out


def test_one_label_map_for_each_frame(run_tool, clip, tmp_path):
    labels = tmp_path / 'labels' / 'x'
    shutil.copy(labels / '001_ids.png', labels / '001b_ids.png')
    outcome = run_tool('refine.py', clip, labels, tmp_path / 'out')
    assert outcome.status == 1
    assert f'{NUMBER} frames, and {NUMBER + 1} label maps in' in outcome.err
    assert not (tmp_path / 'out').exists()


def test_what_does_not_fit_a_video(run_tool, clip, tmp_path):
    labels, out = tmp_path / 'labels', tmp_path / 'out'
    (tmp_path / 'r.json').write_text('[]')
    (tmp_path / 'broken.mp4').write_bytes(b'')
    before = clip.read_bytes()
    for args, status, text in (
        ([tmp_path / 'broken.mp4', labels, out], 1, 'broken.mp4: no such video, or one'),
        (
            [clip, tmp_path / 'r.json', tmp_path / 'o.json'],
            1,
            'expected a folder of label maps',
        ),
        (
            [clip, labels, out, '--image-suffix', '_x'],
            2,
            'video: error: unrecognized arguments: --im',
        ),
        ([clip, labels, out, '--visualize', clip], 1, 'expected a place outside of IMAGES'),
    ):
        outcome = run_tool('refine.py', *args)
        assert (outcome.status, text in outcome.err) == (status, True), outcome.err
    assert not out.exists()
    assert clip.read_bytes() == before


@pytest.fixture
def frames(tmp_path) -> Path:
    """A folder with five frames of a video in ``frames``, ``_rgb`` at their end, and ``labels``."""
    shutil.rmtree(tmp_path / 'labels', ignore_errors=True)
    for number, (image, labels) in enumerate(moving_scene(5, seed=1)):
        write(tmp_path / f'frames/v_{8 + number}_rgb8.png', image)
        write(tmp_path / f'labels/v_{8 + number}.png', labels)
    return tmp_path


def write(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array)


def steady_args(folder: Path, checkpoint: Path, *more: object) -> list:
    places = [folder / 'frames', folder / 'labels', folder / 'out', '--image-suffix', '_rgb8']
    return [*places, '--method', 'bpr', '--checkpoint', checkpoint, *more]


def read(folder: Path) -> list[np.ndarray]:
    return [cv2.imread(str(path), -1) for path in sorted(folder.glob('*.png'), key=number_of)]


def number_of(path: Path) -> int:
    return int(path.stem.split('_')[1])


def test_steady_on_images_is_what_python_gives(run_tool, frames, bpr_checkpoint):
    """Names count 8, 9, 10: in the order of numbers, without the suffix that all have."""
    outcome = run_tool('refine.py', *steady_args(frames, bpr_checkpoint, '--steady', 2))
    assert (outcome.status, outcome.err) == (0, '')
    refiner = build_refiner('bpr', bpr_checkpoint)
    pairs = [(image, labels) for image, labels in moving_scene(5, seed=1)]
    expected = list(refine_video(refiner, pairs, 2))
    alone = [refiner.refine(*pair) for pair in pairs]
    for found, wanted in zip(read(frames / 'out'), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert any((a != b).any() for a, b in zip(alone, expected, strict=True))


def test_steady_on_a_video_is_as_on_its_frames(run_tool, clip, tmp_path, bpr_checkpoint):
    args = ['--method', 'bpr', '--checkpoint', bpr_checkpoint, '--mask-suffix', '_ids', '--steady']
    labels = tmp_path / 'labels'
    assert run_tool('refine.py', clip, labels, tmp_path / 'out', *args).status == 0
    capture = cv2.VideoCapture(str(clip))
    for number in range(NUMBER):
        write(tmp_path / f'frames/x/{number:03d}.png', capture.read()[1])
    assert run_tool('refine.py', tmp_path / 'frames', labels, tmp_path / 'again', *args).status == 0
    refined = sorted((tmp_path / 'out').rglob('*.png'))
    again = sorted((tmp_path / 'again').rglob('*.png'))
    assert len(refined) == NUMBER
    assert [p.read_bytes() for p in refined] == [p.read_bytes() for p in again]


def cut_one(folder: Path) -> None:
    for path in (folder / 'frames/v_10_rgb8.png', folder / 'labels/v_10.png'):
        write(path, cv2.imread(str(path), -1)[:40])


def lose_labels(folder: Path) -> None:
    (folder / 'labels/v_10.png').unlink()


def break_one(folder: Path) -> None:
    (folder / 'frames/v_12_rgb8.png').write_bytes(b'no image')


@pytest.mark.parametrize(
    ('change', 'refined', 'failed'),
    [
        # The one of another size, and those that would listen to it.
        (cut_one, 2, ['must be of one size'] * 3),
        (lose_labels, 4, ['v_10_rgb8.png: no label map for it']),
        (break_one, 4, ['v_12_rgb8.png']),
    ],
)
def test_steady_names_what_is_wrong_with_a_frame_and_refines_the_others(
    run_tool, frames, bpr_checkpoint, change, refined, failed
):
    change(frames)
    outcome = run_tool('refine.py', *steady_args(frames, bpr_checkpoint, '--steady'))
    assert outcome.status == 1
    assert len(read(frames / 'out')) == refined
    lines = [line for line in outcome.err.splitlines() if line.startswith('failed:')]
    assert len(lines) == len(failed)
    for line, text in zip(lines, failed, strict=True):
        assert text in line


def test_steady_on_one_frame(run_tool, frames, bpr_checkpoint):
    out = frames / 'one.png'
    args = [frames / 'frames/v_9_rgb8.png', frames / 'labels/v_9.png', out, '--steady', 3]
    outcome = run_tool('refine.py', *args, '--method', 'bpr', '--checkpoint', bpr_checkpoint)
    assert (outcome.status, outcome.err) == (0, '')
    pair = moving_scene(5, seed=1)[1]
    (expected,) = refine_video(build_refiner('bpr', bpr_checkpoint), [pair], 3)
    np.testing.assert_array_equal(cv2.imread(str(out), -1), expected)


def rename(folder: Path, name: str) -> None:
    for number in range(8, 13):
        kinds = (('frames', f'v_{number}_rgb8', '_rgb8'), ('labels', f'v_{number}', ''))
        for kind, old, end in kinds:
            new = folder / kind / f'{name.format(number=number, letter="abcdefghijklm"[number])}'
            new.parent.mkdir(exist_ok=True)
            (folder / kind / f'{old}.png').rename(f'{new}{end}.png')


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('{letter}', 'the name of a frame must match'),
        ('{letter}_{number}', 'no two frames are of one video by their names'),
    ],
)
def test_steady_needs_names_that_tell_the_order(run_tool, frames, bpr_checkpoint, name, text):
    rename(frames, name)
    outcome = run_tool('refine.py', *steady_args(frames, bpr_checkpoint, '--steady'))
    assert outcome.status == 1
    assert text in outcome.err
    assert not list((frames / 'out').rglob('*.png'))


def test_steady_reads_names_by_a_pattern(run_tool, frames, bpr_checkpoint):
    assert run_tool('refine.py', *steady_args(frames, bpr_checkpoint, '--steady')).status == 0
    wanted = read(frames / 'out')
    shutil.rmtree(frames / 'out')
    rename(frames, 'v_{number}_{letter}7')
    args = steady_args(frames, bpr_checkpoint, '--steady', '1')
    args += ['--pattern', r'(?P<video>v)_(?P<frame>\d+)_.*']
    assert run_tool('refine.py', *args).status == 0
    for found, expected in zip(read(frames / 'out'), wanted, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize('kind', ['coco', 'instances', 'cityscapes'])
def test_steady_is_not_for_instances(run_tool, kind):
    for words in (['--steady'], ['--steady', '2']):
        outcome = run_tool('refine.py', kind, 'images', 'masks', 'out', *words)
        assert outcome.status == 2
        assert 'error: --steady: for label maps and videos only; files of instances' in outcome.err


def test_a_pattern_is_for_steady(run_tool):
    outcome = run_tool('refine.py', 'label-maps', 'images', 'masks', 'out', '--pattern', 'x')
    assert outcome.status == 2
    assert '--pattern: has no effect without --steady' in outcome.err
