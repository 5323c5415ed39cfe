"""``mmrefine new-config``: a config that trains on one's own images, wherever it lies."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmrefine.cli import main
from mmrefine.cli.new_config import methods
from mmrefine.files.training_folder import look_into

SIZE_HW = (60, 80)
COCO = """{"images": [{"id": 1, "file_name": "0.jpg", "height": 60, "width": 80}],
 "categories": [{"id": 1, "name": "a"}],
 "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 400,
  "bbox": [10, 10, 20, 20], "segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]]}]}"""


def draw_folder(folder: Path, values=(0, 1, 2), number: int = 6) -> Path:
    """Draw images with two objects each, and their label maps."""
    rng = np.random.default_rng(0)
    for kind in ('images', 'labels'):
        (folder / kind).mkdir(parents=True)
    for index in range(number):
        labels = np.zeros(SIZE_HW, np.uint8)
        cv2.ellipse(labels, (25 + 3 * index, 28), (18, 12), 20 * index, 0, 360, 1, -1)
        cv2.rectangle(labels, (50, 35), (75, 52), 2, -1)
        image = np.array([(200, 180, 160), (40, 60, 200), (60, 160, 50)], np.uint8)[labels]
        noise = rng.integers(0, 20, (*SIZE_HW, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / 'images' / f'{index}.jpg'), image + noise)
        cv2.imwrite(str(folder / 'labels' / f'{index}.png'), np.array(values, np.uint8)[labels])
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    draw_folder(tmp_path / 'data')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize('device', ['cpu', 'cuda'])
@pytest.mark.parametrize('kind', ['labels', 'annotations'])
@pytest.mark.parametrize('method', methods())
def test_every_config_can_be_read_from_anywhere(method, kind, device, place, capsys):
    if kind == 'annotations':
        shutil.rmtree('data/labels')
        Path('data/annotations.json').write_text(COCO)
    words = ['new-config', method, '--data', 'data', '-o', 'my.py', '--device', device]
    status = main(words)
    if (method, kind) == ('semeda', 'annotations'):
        assert status == 1
        assert 'label maps are needed' in capsys.readouterr().err
        return
    assert status == 0
    assert 'next: mmrefine train my.py' in capsys.readouterr().out
    elsewhere = place / 'x' / 'y'
    elsewhere.mkdir(parents=True)
    config = Config.fromfile(shutil.move('my.py', elsewhere))
    dataset = config.train_dataloader.dataset
    assert dataset.data_root == f'{place}/data/'
    assert (place / 'data' / dataset.data_prefix.img_path).is_dir()
    text = (elsewhere / 'my.py').read_text()
    assert str(Path(__file__).parents[2]) not in text, 'a path of this machine'
    if device == 'cpu':
        assert config.default_hooks.logger.interval <= 5
        assert '://' not in str(config.to_dict()), 'a download'
        assert config.load_from is None or Path(config.load_from).is_file()


def test_what_cannot_be_written(place, capsys):
    words = ['new-config', 'bpr', '--device', 'cpu', '--data', 'data', '-o']
    for name, text in (
        ('a.txt', 'expected the name of a config'),
        ('a.b.py', 'expected the name of a config'),
        ('there.py', 'is there already; --overwrite'),
    ):
        Path('there.py').write_text('')
        assert main([*words, name]) == 1
        assert text in capsys.readouterr().err
    assert main([*words, 'there.py', '--overwrite']) == 0
    assert main(['new-config', 'bprr', '--data', 'data', '-o', 'b.py']) == 1
    assert 'got bprr; did you mean bpr?' in capsys.readouterr().err
    assert main(['new-config', 'bpr', '--data', 'nowhere', '-o', 'b.py']) == 1
    assert 'nowhere: no such file or folder' in capsys.readouterr().err


def test_what_a_folder_holds(tmp_path):
    plain = look_into(draw_folder(tmp_path / 'a'))
    assert (plain.images, plain.labels) == (('images', 'images'), ('labels', 'labels'))
    assert (plain.size_wh, plain.classes, plain.number) == ((80, 60), 3, 6)
    assert (plain.suffix, plain.class_names) == ('.jpg', ['0', '1', '2'])
    split = tmp_path / 'b'
    for kind in ('images', 'labels'):
        for part in ('train', 'val'):
            shutil.copytree(tmp_path / 'a' / kind, split / kind / part)
    found = look_into(split)
    assert found.images == ('images/train', 'images/val')
    assert found.labels == ('labels/train', 'labels/val')


def test_folders_that_nothing_can_be_learned_from(tmp_path):
    folder = draw_folder(tmp_path / 'binary', values=(0, 255, 255))
    with pytest.raises(ValueError, match='masks of 0 and 255; 255 means ignored'):
        look_into(folder)
    folder = draw_folder(tmp_path / 'lacking')
    (folder / 'labels' / '3.png').unlink()
    with pytest.raises(ValueError, match=r'3\.jpg: expected its label map at .*3\.png'):
        look_into(folder)
    (folder / 'images' / '3.jpg').rename(folder / 'images' / '3.jpeg')
    with pytest.raises(ValueError, match=r'images of one kind, got \.jpeg, \.jpg'):
        look_into(folder)
    with pytest.raises(ValueError, match='expected\n  images/ and labels/'):
        look_into(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('method', methods())
def test_six_drawn_images_are_trained_on_and_refined_with(method, place, run_fresh):
    def run(*words: str) -> str:
        done = run_fresh('-m', 'mmrefine', *words, cwd=place)
        assert done.returncode == 0, done.stdout + done.stderr
        assert 'OneDL' not in done.stdout + done.stderr
        return done.stdout + done.stderr

    run('new-config', method, '--data', 'data', '-o', 'my.py', '--device', 'cpu')
    end = ['max_iters=6', 'val_interval=6']
    options = [*(f'train_cfg.{part}' for part in end), 'default_hooks.checkpoint.interval=6']
    log = run('train', 'my.py', '--offline', '--cfg-options', *options)
    assert 'Iter(train) [5/6]' in log
    trained = 'work_dirs/my/iter_6.pth'
    assert (place / trained).is_file()
    if method == 'semeda':  # a network like others: it predicts
        log = run('test', 'my.py', trained, '--out', 'predictions')
        assert len(list((place / 'predictions').iterdir())) == 6
        return
    (place / 'coarse').mkdir()
    for path in (place / 'data' / 'labels').iterdir():
        labels = cv2.imread(str(path), 0)
        cv2.imwrite(str(place / 'coarse' / path.name), np.roll(labels, 2, 1))
    places = ('data/images', 'coarse', 'out')
    run('refine', 'label-maps', *places, '--config', 'my.py', '--checkpoint', trained)
    changed = [
        (cv2.imread(str(path), 0) != cv2.imread(str(place / 'coarse' / path.name), 0)).sum()
        for path in (place / 'out').glob('*.png')
    ]
    assert len(changed) == 6
    assert sum(changed) > 0
