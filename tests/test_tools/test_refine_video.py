"""``tools/refine.py`` on a video and one label map for each frame."""

import shutil

import cv2
import numpy as np
import pytest

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
