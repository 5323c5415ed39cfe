"""Images are found, and found again by the name of what belongs to them."""

import os
import tempfile
from pathlib import Path

import pytest

from mmrefine.files.find import FileIndex, files_below, find_files, find_images


def make(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def names(files):
    return [(file.relative, file.name) for file in files]


def test_folder_is_searched_with_its_subfolders(tmp_path):
    make(tmp_path, 'b.png', 'x/y/a.v2.JPG', 'x/c.txt', '.hidden.png', 'x/.3f.tmp', 'z.jpeg/d.jpg')
    found = find_files(tmp_path, ('.png', '.jpg', '.jpeg'))
    assert names(found) == [
        ('b.png', 'b'),
        ('x/y/a.v2.JPG', 'x/y/a.v2'),
        ('z.jpeg/d.jpg', 'z.jpeg/d'),
    ]
    assert found[1].path == tmp_path / 'x/y/a.v2.JPG'
    assert found[1].full_name == 'x/y/a.v2'


def test_numbers_in_names_count_as_numbers(tmp_path):
    make(
        tmp_path,
        *(f'f{k}.png' for k in (0, 1, 2, 10, 11, 100)),
        'f01.png',
        'g/3_20.png',
        'g/3_9.png',
    )
    found = [file.name for file in find_files(tmp_path, ('.png',))]
    assert found == ['f0', 'f01', 'f1', 'f2', 'f10', 'f11', 'f100', 'g/3_9', 'g/3_20']


def test_padded_names_are_in_the_order_of_texts(tmp_path):
    names = [f'v{v}/frame_{k:04d}.png' for v in (1, 2) for k in range(0, 120, 7)]
    make(tmp_path, *reversed(names))
    assert [file.relative for file in find_files(tmp_path, ('.png',))] == sorted(names)


def test_pattern_and_single_file(tmp_path):
    make(tmp_path, 'one/a.png', 'one/b.png', 'two/a.png', 'two/deep/a.png', 'a.png')
    found = find_files(tmp_path / '*' / 'a.png', ('.png',))
    assert names(found) == [('one/a.png', 'one/a'), ('two/a.png', 'two/a')]
    found = find_files(tmp_path / 'two' / '**' / '*.png', ('.png',))
    assert names(found) == [('a.png', 'a'), ('deep/a.png', 'deep/a')]
    assert names(find_files(tmp_path / 'one' / 'b.png', ('.png',))) == [('b.png', 'b')]


@pytest.fixture
def linked(tmp_path):
    """A data set whose parts are links, one of which leads back up; hidden copies of notebooks."""
    for name in ('real/day/a.png', 'set/b.png', 'set/.hidden/c.png', 'set/.d.png'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / 'set/deep/.ipynb_checkpoints').mkdir(parents=True)
    (tmp_path / 'set/deep/.ipynb_checkpoints/e-checkpoint.png').touch()
    (tmp_path / 'set/val').symlink_to(tmp_path / 'real')
    (tmp_path / 'set/test').symlink_to(tmp_path / 'real')
    (tmp_path / 'real/day/up').symlink_to(tmp_path / 'real')
    (tmp_path / 'set/deep/root').symlink_to(tmp_path / 'set')
    (tmp_path / 'set/file.png').symlink_to(tmp_path / 'set/b.png')
    return tmp_path / 'set'


def test_links_are_followed_once_and_what_is_hidden_is_left_out(linked):
    names = ['b.png', 'file.png', 'test/day/a.png', 'val/day/a.png']
    assert [file.relative for file in find_files(linked, ('.png',))] == names
    assert [str(path.relative_to(linked)) for path in files_below(linked)] == names
    link = linked.with_name('link')
    link.symlink_to(linked)
    assert [file.relative for file in find_files(link, ('.png',))] == names


def test_patterns_follow_links_and_pass_over_what_is_hidden(linked):
    found = [file.relative for file in find_files(linked / '*' / 'day' / '*.png', ('.png',))]
    assert found == ['test/day/a.png', 'val/day/a.png']
    found = {file.relative for file in find_files(linked / '**' / '*.png', ('.png',))}
    assert {'b.png', 'file.png', 'test/day/a.png', 'val/day/a.png'} <= found
    assert not [name for name in found if '/.' in f'/{name}']


def test_a_hidden_folder_that_is_named_is_searched(linked):
    found = find_files(linked / '.hidden', ('.png',))
    assert [file.relative for file in found] == ['c.png']


def test_relative_pattern(tmp_path, monkeypatch):
    make(tmp_path, 'a1.png', 'b1.png')
    monkeypatch.chdir(tmp_path)
    assert names(find_files('a?.png', ('.png',))) == [('a1.png', 'a1')]


def test_end_of_the_stem_is_no_part_of_the_name(tmp_path):
    make(tmp_path, 'f/a_leftImg8bit.png', 'f/a_gtFine_labelIds.png', 'f/b.png')
    found = find_files(tmp_path, ('.png',), '_leftImg8bit')
    assert names(found) == [('f/a_leftImg8bit.png', 'f/a')]
    assert found[0].full_name == 'f/a_leftImg8bit'


def test_nothing_found(tmp_path):
    make(tmp_path, 'a.txt')
    for where, text in (
        (tmp_path / 'none', 'none: no such file or folder'),
        (tmp_path, 'found no file whose name ends with one of _x.png, _x.jpg'),
        (tmp_path / '*.png', r'\*\.png: found no file'),
        (tmp_path / 'a.txt', r'a\.txt: found no file'),
    ):
        with pytest.raises(ValueError, match=text):
            find_files(where, ('.png', '.jpg'), '_x')


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() != 0, reason='is not root')
def test_a_folder_that_may_not_be_read_is_named():
    """Not taken for an empty one."""
    with tempfile.TemporaryDirectory() as folder:  # others may enter what it lies in
        Path(folder).chmod(0o755)
        make(Path(folder), 'f/a.png')
        (Path(folder) / 'f').chmod(0o700)
        os.seteuid(65534)
        try:
            with pytest.raises(PermissionError, match='/f'):
                find_files(folder, ('.png',))
        finally:
            os.seteuid(0)


def test_a_pattern_names_other_images(tmp_path):
    """A loader reads them; in a folder, they are no images."""
    make(tmp_path, 'a.NPY', 'b.npy', 'c.png', 'd.txt')
    assert names(find_images(tmp_path / '*.npy')) == [('b.npy', 'b')]
    assert names(find_images(tmp_path / '*.[np]*')) == [('c.png', 'c')]
    assert names(find_images(tmp_path)) == [('c.png', 'c')]
    with pytest.raises(ValueError, match=r'b\.npy: found no file'):
        find_images(tmp_path / 'b.npy')


@pytest.fixture
def index_of(tmp_path):
    def index(*names):
        make(tmp_path, *names)
        return FileIndex([(file.name, file) for file in find_files(tmp_path, ('.png', '.jpg'))])

    return index


def test_same_folder_comes_first(index_of):
    index = index_of('one/a.png', 'two/a.png', 'a.png')
    for name in ('one/a', 'two/a', 'a'):
        assert index.find(name).name == name


def test_flat_names_find_images_in_folders_and_the_other_way_round(index_of):
    index = index_of('aachen/a.png', 'bochum/b.png', 'c.png')
    assert index.find('a').name == 'aachen/a'
    assert index.find('zurich/c').name == 'c'


def test_another_folder_is_another_image(index_of):
    index = index_of('one/0001.png', 'one/0002.png')
    with pytest.raises(LookupError, match='no image of that name'):
        index.find('two/0001')


def test_several_of_a_name_are_refused(index_of):
    index = index_of('one/a.png', 'two/a.png', 'b.png', 'b.jpg')
    with pytest.raises(LookupError, match=r'2 images of that name: .*one/a\.png, .*two/a\.png'):
        index.find('a')
    with pytest.raises(LookupError, match='2 images of that name'):
        index.find('b')


def test_a_longer_path_is_found_by_its_whole_tail_only(index_of):
    index = index_of('one/a.png', 'two/a.png', 'one/b.png')
    assert index.find('data/two/a').name == 'two/a'
    with pytest.raises(LookupError, match='no image of that name'):
        index.find('three/b')
    assert index.find('three/b', any_folder=True).name == 'one/b'
