"""``tools/refine.py`` on bad input: one clear line each, the others refined, exit status 1."""

import json
import subprocess

import cv2
import numpy as np
import pytest
import torch
from label_drawing import random_labels
from PIL import Image
from pycocotools import mask as coco_mask
from small_segfix import segfix_config, small_segfix

SIZE = (30, 43)


@pytest.fixture
def pairs(tmp_path):
    """Return a function that adds an image and a label map to a folder."""
    for kind in ('images', 'masks', 'offsets'):
        (tmp_path / kind).mkdir()
    rng = np.random.default_rng(0)

    def add(name: str, labels: np.ndarray | None = None, size_hw: tuple[int, int] = SIZE):
        image = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / 'images' / f'{name}.png'), image)
        labels = random_labels(1, *SIZE) if labels is None else labels
        Image.fromarray(labels).save(tmp_path / 'masks' / f'{name}.png')
        offset = np.ones((2, *size_hw), np.int8)
        np.savez(tmp_path / 'offsets' / f'{name}.npz', version=1, offset=offset)
        return tmp_path / 'images' / f'{name}.png', tmp_path / 'masks' / f'{name}.png'

    add.folder = tmp_path
    return add


def cut(path, share=0.5):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def failures(outcome) -> dict[str, str]:
    """Stem of the file that each failure line names → the line."""
    lines = [line for line in outcome.err.splitlines() if line.startswith('failed: ')]
    assert len(lines) == len(outcome.err.splitlines()), outcome.err
    stems = [line.split('.png')[0].rsplit('/', 1)[1] for line in lines]
    assert len(set(stems)) == len(lines), 'one line each'
    return dict(zip(stems, lines, strict=True))


@pytest.mark.quick
def test_every_bad_file_is_named_and_the_others_are_refined(run_tool, pairs, checkpoint):
    folder = pairs.folder
    pairs('good1')
    cut(pairs('image_cut')[0])
    pairs('image_empty')[0].write_bytes(b'')
    pairs('image_text')[0].write_text('hello')
    pairs('image_absent')[0].unlink()
    cut(pairs('mask_cut')[1])
    pairs('mask_empty')[1].write_bytes(b'')
    pairs('mask_absent')[1].unlink()
    pairs('mask_rgb', np.zeros((*SIZE, 3), np.uint8))
    pairs('other_size', size_hw=(31, 43))
    pairs('range', np.full(SIZE, 9, np.uint8))
    floats = pairs('float')[1].with_suffix('.npy')
    floats.with_suffix('.png').unlink()
    np.save(floats, np.zeros(SIZE, np.float32))
    pairs('good2')
    outcome = run_tool(
        'refine.py', folder / 'images', folder / 'masks', folder / 'out',
        '--checkpoint', checkpoint, '--num-classes', 4,
    )  # fmt: skip
    outcome.err = outcome.err.replace('float.npy', 'float.png')
    assert outcome.status == 1
    assert 'refined 3, failed 10; ' in outcome.out
    assert sorted(p.name for p in (folder / 'out').iterdir() if p.suffix != '.json') == [
        'good1.png',
        'good2.png',
        'mask_rgb.png',
    ]
    lines = failures(outcome)
    for stem, text in {
        'image_cut': 'is not an image, or is incomplete',
        'image_empty': 'is not an image, or is incomplete',
        'image_text': 'is not an image, or is incomplete',
        'image_absent': 'no image of that name',
        'mask_cut': 'masks/mask_cut.png: expected a PNG, the file is broken or cut off',
        'mask_empty': 'masks/mask_empty.png: the file is empty, expected a label map',
        'mask_absent': 'images/mask_absent.png: no label map for it, expected mask_absent.png in',
        'other_size': 'images/other_size.png, 31x43 (height x width), got 30x43',
        'range': 'masks/range.png: expected labels 0 to 3 or ignored, got 9',
        'float': 'expected integers of at most 63 bits, got float32',
    }.items():
        assert text in lines.pop(stem)
    assert not lines


def test_bad_offset_files_are_named(run_tool, pairs):
    folder = pairs.folder
    for name in ('good', 'cut', 'absent', 'other'):
        pairs(name)
    cut(folder / 'offsets' / 'cut.npz')
    (folder / 'offsets' / 'absent.npz').unlink()
    np.savez(folder / 'offsets' / 'other.npz', version=1, offset=np.zeros((2, 9, 8), np.int8))
    outcome = run_tool(
        'refine.py', folder / 'images', folder / 'masks', folder / 'out',
        '--offsets', folder / 'offsets',
    )  # fmt: skip
    assert outcome.status == 1
    lines = failures(outcome)
    assert 'offsets/cut.npz: expected an .npz file, this one is broken or none' in lines['cut']
    assert 'no offset file, expected' in lines['absent']
    assert 'offsets/other.npz, 9x8 (height x width), got 30x43' in lines['other']
    assert [p.name for p in (folder / 'out').glob('[!.]*')] == ['good.png']


@pytest.mark.parametrize(
    ('out', 'text'),
    [
        ('masks', 'expected a folder outside of'),
        ('images', 'expected a folder outside of'),
        ('masks/refined', 'expected a folder outside of'),
        ('images/../masks', 'expected a folder outside of'),
        ('link', 'expected a folder outside of'),
        ('file', 'expected a folder, it is a file'),
    ],
)
def test_inputs_are_never_overwritten(run_tool, pairs, out, text):
    folder = pairs.folder
    mask = pairs('a')[1]
    (folder / 'file').touch()
    (folder / 'link').symlink_to('masks')
    before = mask.read_bytes()
    outcome = run_tool(
        'refine.py', folder / 'images', folder / 'masks', folder / out,
        '--offsets', folder / 'offsets', '--overwrite',
    )  # fmt: skip
    assert outcome.status == 1
    assert outcome.err.startswith(f'refine.py: error: {folder / out}: {text}')
    assert len(outcome.err.splitlines()) == 1
    assert mask.read_bytes() == before


def test_a_single_input_is_never_overwritten(run_tool, pairs):
    image, mask = pairs('a')
    for out, text in ((mask, 'is an input'), (image, 'is an input'), ('x.npy', 'expected a file')):
        outcome = run_tool('refine.py', image, mask, out, '--offsets', pairs.folder / 'offsets')
        assert outcome.status == 1
        assert text in outcome.err


def test_wrong_checkpoints_configs_and_folders(run_tool, pairs, checkpoint):
    folder = pairs.folder
    pairs('a')
    other = {'state_dict': small_segfix(num_directions=4).state_dict()}
    torch.save({**other, 'meta': {'model': segfix_config()}}, folder / 'other.pth')
    (folder / 'page.pth').write_text('<html>')
    (folder / 'typo.py').write_text("refiner = dict(type='mmrefine.SegFixRefiner', scal=2)")
    (folder / 'no_gpu.py').write_text('1 / 0')
    for options, text in (
        (['--checkpoint', folder / 'other.pth'], 'other.pth is of another model'),
        (['--checkpoint', folder / 'page.pth'], 'page.pth is not a torch checkpoint'),
        (['--checkpoint', folder / 'absent.pth'], 'absent.pth'),
        (['--config', folder / 'typo.py'], 'SegFixRefiner has no option scal'),
        (['--config', folder / 'no_gpu.py'], 'cannot read the config'),
        (['--method', 'segfax'], 'expected bpr, segfix'),
        (['--checkpoint', checkpoint, '--device', 'cuda:77'], 'device: cuda:77 cannot be used'),
        (['--offsets', folder / 'nowhere'], 'nowhere: expected a folder of offset files'),
        (['--checkpoint', checkpoint, '--launcher', 'pytorch'], 'start it with torchrun'),
    ):
        outcome = run_tool('refine.py', folder / 'images', folder / 'masks', folder / 'o', *options)
        assert outcome.status == 1, options
        assert text in outcome.err
        assert len(outcome.err.splitlines()) == 1, outcome.err
    for images, masks, text in (
        ('nowhere', 'masks', 'nowhere: no such file or folder'),
        ('images', 'nowhere', 'nowhere: no such file or folder'),
        ('images/*.jpg', 'masks', 'found no file whose name ends with one of .jpg'),
        ('images', 'masks/a.png', 'expected a file .png'),
    ):
        outcome = run_tool(
            'refine.py', folder / images, folder / masks, folder / 'o',
            '--offsets', folder / 'offsets',
        )  # fmt: skip
        assert outcome.status == 1
        assert text in outcome.err


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (['--num-clases', '3'], 'unrecognized arguments: --num-clases 3'),
        (['--num-classes', '0'], 'expected 1 or more, got 0'),
        (['--scale', '1.5'], 'argument --scale: invalid'),
        (['--ignore-index', 'x'], 'argument --ignore-index: invalid'),
        (
            ['--annotations', 'a.json'],
            'label-maps: error: unrecognized arguments: --annot',
        ),
        (
            ['--scale', '2'],
            'no effect with --method bpr; it is an option of --method segfix',
        ),
        (['--offsets', 'o', '--checkpoint', 'c.pth'], '--checkpoint: has no effect with --offsets'),
        (['--offsets', 'o', '--save-offsets', 'p'], 'not allowed with'),
        (['--method', 'segfix', '--config', 'c.py'], 'not allowed with'),
    ],
)
def test_wrong_options_are_usage_errors(run_tool, options, text):
    outcome = run_tool('refine.py', 'images', 'masks', 'out', *options)
    assert outcome.status == 2
    assert text in outcome.err


def test_coco_results_have_no_label_options(run_tool):
    outcome = run_tool(
        'refine.py', 'images', 'r.json', 'out.json', '--annotations', 'a', '--num-classes', 3
    )
    assert outcome.status == 2
    assert 'coco: error: unrecognized arguments: --num-classes 3' in outcome.err


def test_bad_coco_results_are_named(run_tool, pairs):
    folder = pairs.folder
    for name in 'ab':
        pairs(name)
    empty = np.zeros(SIZE, np.uint8, order='F')
    nothing = {'size': list(SIZE), 'counts': coco_mask.encode(empty)['counts'].decode()}
    results = [
        dict(image_id=1, segmentation=nothing),
        dict(image_id=2, segmentation={'size': [9, 9], 'counts': [81]}),
        dict(image_id=3, segmentation=nothing),
        dict(image_id=9, segmentation=nothing),
        dict(image_id=9, segmentation=nothing),
    ]
    images = [dict(id=i, file_name=f'{n}.png') for i, n in ((1, 'a'), (2, 'b'), (3, 'c'))]
    (folder / 'r.json').write_text(json.dumps(results))
    (folder / 'a.json').write_text(json.dumps(dict(images=images)))
    args = [folder / 'images', folder / 'r.json', folder / 'out.json']
    args += ['--annotations', folder / 'a.json', '--offsets', folder / 'offsets']
    outcome = run_tool('refine.py', *args)
    assert outcome.status == 1
    assert json.loads((folder / 'out.json').read_text()) == results, 'nothing to change'
    assert 'refined 2, failed 3' in outcome.out
    assert 'entry 1, a mask on' in outcome.err
    assert 'size (9, 9) is not the size (30, 43)' in outcome.err
    assert 'entry 2: image_id 3 is c.png: no image of that name' in outcome.err
    assert 'entries 3, 4: image_id 9 is not in the annotations' in outcome.err
    for out, name in ((folder / 'r.json', 'r.json'), (folder / 'a.json', 'a.json')):
        outcome = run_tool('refine.py', *args[:2], out, *args[3:], '--overwrite')
        assert outcome.status == 1
        assert f'{name}: expected a .json file other than the inputs' in outcome.err


def test_full_disk(run_tool, pairs):
    folder = pairs.folder
    labels = np.random.default_rng(0).integers(0, 9, (150, 203), dtype=np.uint8)
    for index in range(9):
        pairs(f'{index}', labels, labels.shape)
    disk = folder / 'disk'
    disk.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip('a disk of 64 KiB cannot be mounted here: needs root and CAP_SYS_ADMIN')
    try:
        outcome = run_tool(
            'refine.py', folder / 'images', folder / 'masks', disk, '--offsets', folder / 'offsets'
        )
        written = sorted(p.name for p in disk.glob('[!.]*'))
        assert outcome.status == 1
        assert 'No space left on device; the same command goes on from there' in outcome.err
        assert len(outcome.err.splitlines()) == 1
        assert 0 < len(written) < 9
        assert f'refined {len(written)};' in outcome.out
        assert written == [f'{index}.png' for index in range(len(written))]
        for name in written:
            with Image.open(disk / name) as image:
                image.load()
    finally:
        subprocess.run(['umount', str(disk)], check=True)
