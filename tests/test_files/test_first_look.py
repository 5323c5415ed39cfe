"""Mistakes that show without a network: told where the whole run would fail, silent elsewhere."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmrefine.files.first_look import look_at_checkpoint, look_at_instances, look_at_label_maps
from mmrefine.ops.run_lengths import encode_mask

SIZE = (40, 56)
QUARTER_TURN = 6


@pytest.fixture
def folder(tmp_path):
    """Photographs ``a`` and ``b``, and label maps of their size."""
    rng = np.random.default_rng(0)
    labels = np.zeros(SIZE, np.uint8)
    labels[10:30, 10:30] = 1
    for part in ('im', 'masks'):
        (tmp_path / part).mkdir()
    for name in 'ab':
        photo = rng.integers(0, 255, (*SIZE, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / 'im' / f'{name}.png'), photo)
        cv2.imwrite(str(tmp_path / 'masks' / f'{name}.png'), labels)
    return tmp_path


def look(folder, images='im', masks='masks', **options):
    look_at_label_maps(folder / images, folder / masks, folder / 'out', **options)


def shrink(path, array_size=(20, 28)):
    Image.fromarray(np.zeros(array_size, np.uint8)).save(path)


def test_label_maps_of_other_sizes(folder):
    look(folder)
    shrink(folder / 'masks' / 'a.png')
    look(folder)  # b can be refined
    shrink(folder / 'masks' / 'b.png')
    with pytest.raises(
        ValueError, match=r'got 20x28; --resize-masks .*; so it is with all 2'
    ) as raised:
        look(folder)
    assert f'{folder}/masks/a.png: expected the size of {folder}/im/a.png, 40x56' in str(
        raised.value
    )
    look(folder, sizes=False)
    np.save(folder / 'masks' / 'b.npy', np.zeros(SIZE, np.uint8))
    (folder / 'masks' / 'b.png').unlink()
    look(folder)
    np.save(folder / 'masks' / 'b.npy', np.zeros(SIZE[::-1], np.uint8))
    with pytest.raises(ValueError, match='got 20x28'):
        look(folder)


def test_a_turned_image_may_have_both_sizes(folder):
    for name in 'ab':
        (folder / 'im' / f'{name}.png').unlink()
        exif = Image.Exif()
        exif[0x0112] = QUARTER_TURN
        Image.new('RGB', SIZE).save(folder / 'im' / f'{name}.jpg', exif=exif)  # 56x40 as stored
    look(folder)
    for name in 'ab':
        Image.new('RGB', SIZE).save(folder / 'im' / f'{name}.jpg')
    with pytest.raises(ValueError, match='height and width are swapped'):
        look(folder)


def test_what_cannot_be_read_is_left_to_the_run(folder):
    for name in 'ab':
        shrink(folder / 'masks' / f'{name}.png')
    (folder / 'im' / 'b.png').write_bytes(b'no image')
    look(folder)


@pytest.mark.parametrize(
    ('images', 'masks'),
    [
        ('masks', 'im'),
        ('masks/a.png', 'im/a.png'),
        ('masks', 'jpg'),
        ('masks/a.png', 'jpg/a.jpg'),
    ],
)
def test_swapped_label_maps(folder, images, masks):
    (folder / 'jpg').mkdir()
    photo = cv2.imread(str(folder / 'im' / 'a.png'))
    cv2.imwrite(str(folder / 'jpg' / 'a.jpg'), photo)
    out = 'out.png' if '.' in images else 'out'
    with pytest.raises(ValueError, match='IMAGES comes first, then MASKS: are they swapped'):
        look_at_label_maps(folder / images, folder / masks, folder / out)


def test_one_odd_pair_is_not_swapped(folder):
    for name in 'im', 'masks':
        (folder / name / 'a.png').rename(folder / name / 'x.png')
    (folder / 'im' / 'x.png').rename(folder / 'x.png')
    (folder / 'masks' / 'x.png').rename(folder / 'im' / 'x.png')
    (folder / 'x.png').rename(folder / 'masks' / 'x.png')
    look(folder)


def test_no_hint_where_nothing_is_swapped(folder):
    (folder / 'empty').mkdir()
    with pytest.raises(ValueError, match='found no file') as raised:
        look(folder, masks='empty')
    assert 'swapped' not in str(raised.value)


def test_instances(folder):
    path = folder / 'r.json'
    mask, small = (encode_mask(np.ones(size, bool)) for size in (SIZE, (20, 28)))
    square = [[1.0, 1.0, 9.0, 1.0, 9.0, 9.0]]

    def look_at(*segmentations, ids='ab', **options):
        entries = [
            dict(image_id=i, segmentation=s) for i, s in zip(ids, segmentations, strict=True)
        ]
        path.write_text(json.dumps(entries))
        look_at_instances(folder / 'im', path, **options)

    look_at(mask, small)
    look_at(square, small)
    look_at(small, small, sizes=False)
    look_at(small, None)
    look_at(small, small, ids='ac')  # c is not there: the run says so
    message = r'r\.json: entry 0: expected the size of .*a\.png, 40x56 .*, got 20x28; --resize'
    with pytest.raises(ValueError, match=message):
        look_at(small, small)
    images = [dict(id=7, file_name='a.png'), dict(id=8, file_name='b.png')]
    (folder / 'names.json').write_text(json.dumps(dict(images=images)))
    with pytest.raises(ValueError, match=message):
        look_at(small, small, ids=(7, 8), annotations=folder / 'names.json')
    path.write_text('[{')
    with pytest.raises(ValueError, match=r'r\.json'):
        look_at_instances(folder / 'im', path)
    with pytest.raises(ValueError, match='are they swapped'):
        look_at_instances(path, folder / 'im')


def test_checkpoints(tmp_path):
    import torch

    torch.save({'a': torch.ones(2)}, tmp_path / 'new.pth')
    torch.save({'a': 1}, tmp_path / 'old.pth', _use_new_zipfile_serialization=False)
    (tmp_path / 'page.pth').write_text('<!DOCTYPE html>')
    (tmp_path / 'empty.pth').write_bytes(b'')
    look_at_checkpoint(tmp_path / 'new.pth')
    look_at_checkpoint(tmp_path / 'old.pth')
    for name in ('page.pth', 'empty.pth'):
        with pytest.raises(ValueError, match=rf'{name} is not a torch checkpoint'):
            look_at_checkpoint(tmp_path / name)
