"""``tools/refine.py`` in processes of its own: killed, interrupted, several at once."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from label_drawing import random_labels
from PIL import Image

from mmrefine.refiners import shift_masks

pytestmark = pytest.mark.slow
TOOL = Path(__file__).parents[2] / 'tools' / 'refine.py'
COUNT = 60
SIZE = (200, 301)


@pytest.fixture
def folder(tmp_path):
    """Return many label maps and offset fields, so that no network is needed."""
    rng = np.random.default_rng(0)
    for kind in ('images', 'masks', 'offsets'):
        (tmp_path / kind).mkdir()
    labels = random_labels(0, *SIZE)
    offset = rng.integers(-1, 2, (2, *SIZE)).astype(np.int8)
    for index in range(COUNT):
        (tmp_path / 'images' / f'{index:02}.jpg').write_bytes(b'not read')
        mask = Image.fromarray(np.roll(labels, 5 * index, axis=1))
        mask.save(tmp_path / 'masks' / f'{index:02}.png')
        np.savez(tmp_path / 'offsets' / f'{index:02}.npz', version=1, offset=offset)
    return tmp_path


def arguments(folder: Path) -> list[str]:
    places = [str(folder / kind) for kind in ('images', 'masks', 'out')]
    return [*places, '--offsets', str(folder / 'offsets')]


def check_complete(folder: Path, names: list[str]) -> None:
    for name in names:
        labels = np.asarray(Image.open(folder / 'masks' / name))
        with np.load(folder / 'offsets' / f'{name[:-4]}.npz') as content:
            expected = shift_masks(labels, content['offset'])
        assert np.array_equal(np.asarray(Image.open(folder / 'out' / name)), expected)


def outputs(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / 'out').glob('*.png'))


@pytest.mark.parametrize('sent', [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_and_started_again(run_tool, folder, sent):
    process = subprocess.Popen(
        [sys.executable, str(TOOL), *arguments(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        deadline = time.monotonic() + 300
        while not (folder / 'out').is_dir() or len(outputs(folder)) < 3:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(sent)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    finished = outputs(folder)
    assert 3 <= len(finished) < COUNT, 'stopped in the middle'
    check_complete(folder, finished)
    if sent != signal.SIGKILL:
        assert process.returncode == 130
        assert 'stopped: interrupted; the same command goes on from there' in err
        assert 'Traceback' not in err
        counted = int(out.split('refined ')[1].split(';')[0])
        assert counted in (len(finished), len(finished) - 1), 'the last may not be counted yet'
    times = {name: (folder / 'out' / name).stat().st_mtime_ns for name in finished}
    outcome = run_tool('refine.py', *arguments(folder))
    assert outcome.status == 0, outcome.err
    assert f'refined {COUNT - len(finished)}, skipped {len(finished)} already there' in outcome.out
    assert outputs(folder) == [f'{index:02}.png' for index in range(COUNT)]
    check_complete(folder, outputs(folder))
    for name in finished:
        assert (folder / 'out' / name).stat().st_mtime_ns == times[name]


LAUNCH = ['-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2']


def run_processes(*args: str) -> subprocess.CompletedProcess:
    return run_command([*LAUNCH, str(TOOL), *args, '--launcher', 'pytorch'])


def run_command(words: list[str]) -> subprocess.CompletedProcess:
    command = [sys.executable, *words]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=300)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def test_two_processes_refine_every_image_once(folder):
    (folder / 'masks' / '07.png').write_bytes(b'')
    (folder / 'masks' / '08.png').write_bytes(b'')
    done = run_processes(*arguments(folder))
    assert done.returncode != 0
    assert f'refined {COUNT - 2}, failed 2; ' in done.stdout
    for line in ('images to refine', 'refined ', 'those that did not fail are written'):
        assert done.stdout.count(line) == 1, 'one process speaks for all'
    for name in ('07.png', '08.png'):
        assert done.stderr.count(f'{name}: the file is empty') == 1
    assert len(outputs(folder)) == COUNT - 2
    check_complete(folder, outputs(folder))


def test_two_processes_share_coco_results(run_tool, folder):
    counts = [300, 2000, SIZE[0] * SIZE[1] - 2300]
    results = [
        dict(image_id=index % 5, score=index, segmentation=dict(size=SIZE, counts=counts))
        for index in range(12)
    ]
    images = [dict(id=index, file_name=f'{index:02}.jpg') for index in range(5)]
    (folder / 'r.json').write_text(json.dumps(results))
    (folder / 'a.json').write_text(json.dumps(dict(images=images)))
    options = ['--annotations', str(folder / 'a.json'), '--offsets', str(folder / 'offsets')]
    places = [str(folder / name) for name in ('images', 'r.json', 'out.json')]
    done = run_processes(*places, *options)
    assert done.returncode == 0, done.stderr
    alone = folder / 'alone.json'
    assert run_tool('refine.py', *places[:2], str(alone), *options).status == 0
    assert alone.read_bytes() == (folder / 'out.json').read_bytes()
    assert 'refined 5;' in done.stdout
    refined = json.loads((folder / 'out.json').read_text())
    assert [entry['score'] for entry in refined] == list(range(12))
    assert all(isinstance(entry['segmentation']['counts'], str) for entry in refined)
    assert not list(folder.glob('.*'))


def workers_of(process: subprocess.Popen) -> list[int]:
    """Return the processes that refine, which the given one started."""
    children = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()
    return [int(child) for child in children]


def is_there(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def start_until_some_are_done(words: list[str], folder: Path) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while not (folder / 'out').is_dir() or len(outputs(folder)) < 3:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return process


@pytest.mark.skipif(sys.platform != 'linux', reason='looks processes up in /proc')
@pytest.mark.parametrize(
    ('start', 'jobs', 'killed'),
    [('--jobs', 2, 'worker'), ('--jobs', 3, 'parent'), ('torchrun', 2, 'worker')],
)
def test_processes_killed_in_the_middle_and_started_again(folder, start, jobs, killed):
    words = [str(TOOL), *arguments(folder)]
    if start == 'torchrun':
        words = [*LAUNCH, *words, '--launcher', 'pytorch']
    else:
        words += ['--jobs', str(jobs)]
    process = start_until_some_are_done(words, folder)
    workers = workers_of(process)
    try:
        assert len(workers) == jobs
        os.kill(process.pid if killed == 'parent' else workers[-1], signal.SIGKILL)
        _, err = process.communicate(timeout=120)
        deadline = time.monotonic() + 60
        while any(map(is_there, workers)):
            assert time.monotonic() < deadline, 'no process goes on alone'
            time.sleep(0.05)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if start == '--jobs' and killed == 'worker':
        assert process.returncode == 1
        assert 'process 2 of 2 was killed' in err
        assert 'Traceback' not in err
    finished = outputs(folder)
    assert 3 <= len(finished) < COUNT, 'stopped in the middle'
    check_complete(folder, finished)
    times = {name: (folder / 'out' / name).stat().st_mtime_ns for name in finished}
    done = run_command(words)
    assert done.returncode == 0, done.stderr
    assert f'refined {COUNT - len(finished)}, skipped {len(finished)} already there' in done.stdout
    assert outputs(folder) == [f'{index:02}.png' for index in range(COUNT)]
    check_complete(folder, outputs(folder))
    for name in finished:
        assert (folder / 'out' / name).stat().st_mtime_ns == times[name]
