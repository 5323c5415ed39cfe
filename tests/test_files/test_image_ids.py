"""Which image an ``image_id`` is."""

from pathlib import Path

import pytest

from mmrefine.files.find import FoundFile
from mmrefine.files.image_ids import ImageIds


def found(*names):
    return [FoundFile(Path('root', n), n, str(Path(n).with_suffix(''))) for n in names]


IMAGES = found('000000000139.jpg', 'x/a_7.png', 'x/b.c.jpg', 'y/b_12x.png', 'z/v2_012.png')


@pytest.mark.parametrize(
    ('image_id', 'name'),
    [
        (139, '000000000139.jpg'),
        (7, 'x/a_7.png'),
        ('x/a_7.png', 'x/a_7.png'),
        ('x/a_7', 'x/a_7.png'),
        ('a_7', 'x/a_7.png'),
        ('b.c', 'x/b.c.jpg'),
        ('b.c.jpg', 'x/b.c.jpg'),
        ('000000000139', '000000000139.jpg'),
        ('139', '000000000139.jpg'),
        (139.0, '000000000139.jpg'),
        ('7', 'x/a_7.png'),
        ('c:\\data\\x\\b.c.jpg', 'x/b.c.jpg'),
    ],
)
def test_without_annotations(image_id, name):
    assert ImageIds(IMAGES, None).find(image_id).relative == name


@pytest.mark.parametrize(
    ('image_id', 'text'),
    [
        (5, 'is the number of no image; --annotations can say which'),
        (12, r'is the number of 2 images: root/y/b_12x\.png, root/z/v2_012\.png; --annotations'),
        ('q.png', r'is q\.png: no image of that name'),
        ('a_7.jpg', r'is a_7\.jpg: no image of that name'),
    ],
)
def test_unknown_or_ambiguous(image_id, text):
    with pytest.raises(LookupError, match=text):
        ImageIds(IMAGES, None).find(image_id)


def test_annotations_decide():
    ids = ImageIds(IMAGES, {7: '000000000139.jpg', 8: 'absent.jpg'})
    assert ids.find(7).relative == '000000000139.jpg'
    with pytest.raises(LookupError, match=r'is absent\.jpg: no image of that name'):
        ids.find(8)
    with pytest.raises(LookupError, match='is not in the annotations'):
        ids.find(139)


@pytest.mark.parametrize(
    ('name', 'relative'),
    [
        ('x/s/a.jpg', 'x/s/a.jpg'),
        ('images\\x\\s\\a.jpg', 'x/s/a.jpg'),
        ('/data/old/images/y/s/a.jpg', 'y/s/a.jpg'),
        ('..\\..\\upload\\4\\b.jpg', 'x/b.jpg'),
        ('x//s/./a.jpg', 'x/s/a.jpg'),
        ('elsewhere/b.JPG', 'x/b.jpg'),
        ('X/S/A.JPG', 'x/s/a.jpg'),
    ],
)
def test_names_of_annotations_from_other_folders_and_systems(name, relative):
    files = found('x/s/a.jpg', 'y/s/a.jpg', 'x/b.jpg')
    assert ImageIds(files, {1: name}).find(1).relative == relative


@pytest.mark.parametrize('name', ['s/a.jpg', 'a.jpg', 'z\\s\\a.jpg'])
def test_two_images_with_the_same_tail_are_refused(name):
    files = found('x/s/a.jpg', 'y/s/a.jpg', 'x/b.jpg')
    with pytest.raises(LookupError, match=r'2 images of that name: root/x/s/a\.jpg, root/y/s'):
        ImageIds(files, {1: name}).find(1)


@pytest.mark.parametrize('name', [None, 5, ['a.jpg']])
def test_a_file_name_is_a_text(name):
    with pytest.raises(LookupError, match=r'has the file name .*, expected a text'):
        ImageIds(IMAGES, {1: name}).find(1)


def test_numbers_are_guessed_where_every_one_fits():
    files = found('r_0004.jpg', 'r_0009.jpg', '11.jpg')
    ids = ImageIds(files, None)
    guessed = ids.guesses([4, 9, '11', '0011'])
    # '11' is the name of a file, no guess; '0011' is none.
    assert {key: file.relative for key, file in guessed.items()} == {
        4: 'r_0004.jpg',
        9: 'r_0009.jpg',
        '0011': '11.jpg',
    }
    with pytest.raises(ValueError, match=r'^image_id 1 is the number of no image; --annotations'):
        ids.guesses([1, 2, 3, 4])
    assert ids.guesses([1, 2]) == {}, 'none fits: each is missing by itself'
    assert ImageIds(files, {4: '11.jpg'}).guesses([4]) == {}


def test_a_number_stands_for_no_file_where_numbers_do_not_count():
    with pytest.raises(LookupError, match='no image of that name'):
        ImageIds(found('r_0004.jpg'), None, by_number=False).find('4')
