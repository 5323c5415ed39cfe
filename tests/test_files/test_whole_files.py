"""A file is complete or not there."""

import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from mmrefine.files.coco_results import write_results
from mmrefine.files.label_maps import LabelMap, write_label_map
from mmrefine.files.offsets import write_offset
from mmrefine.files.whole_files import write_whole_file


@pytest.fixture
def tiny_disk(tmp_path):
    """Return a disk of 64 KiB, as this test is root and may mount one."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    mounted = subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip('a disk of 64 KiB cannot be mounted here: needs root and CAP_SYS_ADMIN')
    yield folder
    subprocess.run(['umount', str(folder)], check=True)


def test_folders_are_made_and_nothing_else_is_left(tmp_path):
    write_whole_file(tmp_path / 'x' / 'y' / 'a.bin', b'123')
    write_whole_file(tmp_path / 'x' / 'y' / 'a.bin', b'45')
    assert [path.name for path in (tmp_path / 'x' / 'y').iterdir()] == ['a.bin']
    assert (tmp_path / 'x' / 'y' / 'a.bin').read_bytes() == b'45'


def test_file_is_readable_for_others_as_usual(tmp_path):
    write_whole_file(tmp_path / 'a', b'')
    (tmp_path / 'b').touch()
    assert (tmp_path / 'a').stat().st_mode == (tmp_path / 'b').stat().st_mode


def test_failure_names_the_file_and_leaves_the_old_one(tmp_path):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'file').write_bytes(b'old')
    for path, code in ((tmp_path / 'a', errno.EISDIR), (tmp_path / 'file' / 'b', errno.ENOTDIR)):
        with pytest.raises(OSError, match=r'/(a|file/b)') as caught:
            write_whole_file(path, b'new')
        assert caught.value.errno in (code, errno.EEXIST)
        assert caught.value.filename == str(path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a', 'file']
    assert (tmp_path / 'file').read_bytes() == b'old'


@pytest.mark.parametrize('old', [None, b'old'])
def test_full_disk_leaves_nothing_new(tiny_disk, old):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 256, (300, 401), dtype=np.uint8)
    offset = rng.integers(-1, 2, (2, 500, 701)).astype(np.int8)
    results = [{'image_id': 1, 'segmentation': {'counts': 'x' * 100_000}}]
    for name, write in (
        ('a.png', lambda path: write_label_map(path, labels, LabelMap(labels))),
        ('a.npy', lambda path: write_label_map(path, labels, LabelMap(labels))),
        ('a.npz', lambda path: write_offset(path, offset)),
        ('a.json', lambda path: write_results(path, results)),
    ):
        path = tiny_disk / name
        if old is not None:
            path.write_bytes(old)
        with pytest.raises(OSError, match=name) as caught:
            write(path)
        assert caught.value.errno == errno.ENOSPC
        assert caught.value.filename == str(path)
        assert [p.name for p in tiny_disk.iterdir()] == ([] if old is None else [name])
        if old is not None:
            assert path.read_bytes() == old
            path.unlink()
    assert os.statvfs(tiny_disk).f_bavail > 0
    write_label_map(tiny_disk / 'b.png', labels[:9], LabelMap(labels[:9]))
    assert np.array_equal(np.asarray(Image.open(tiny_disk / 'b.png')), labels[:9])


def test_what_a_killed_process_left_is_taken_by_the_next(tmp_path):
    code = (
        'import os, signal, sys\n'
        'from mmrefine.files import whole_files\n'
        'whole_files.os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n'
        'whole_files.write_whole_file(sys.argv[1], b"half")\n'
    )
    for name in ('a.png', 'n' * 250):  # as long as names may be
        killed = subprocess.run([sys.executable, '-c', code, str(tmp_path / name)])
        assert killed.returncode == -signal.SIGKILL
        assert [path.name[0] for path in tmp_path.iterdir()] == ['.']
        write_whole_file(tmp_path / name, b'whole')
        assert [path.read_bytes() for path in tmp_path.iterdir()] == [b'whole']
        (tmp_path / name).unlink()


def test_two_that_write_one_file_at_once(tmp_path):
    def write(content: bytes) -> None:
        for _ in range(50):
            write_whole_file(tmp_path / 'a', content)

    contents = [bytes([n]) * 10**5 for n in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, contents))
    assert (tmp_path / 'a').read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ['a']
