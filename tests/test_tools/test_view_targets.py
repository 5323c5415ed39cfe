"""``tools/view_targets.py`` from files to pictures."""

import cv2
import numpy as np
import pytest
from PIL import Image

from mmrefine.files.label_maps import read_label_map
from mmrefine.pictures.directions import draw_targets
from mmrefine.refiners import load_image


@pytest.mark.quick
def test_one_image(run_tool, folders):
    image, labels = folders / 'images' / 'a.jpg', folders / 'masks' / 'a.png'
    outcome = run_tool(
        'view_targets.py', image, labels, folders / 'out.png', '--width', 3,
        '--num-directions', 16, '--zoom', 3,
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert outcome.out.strip() == str(folders / 'out.png')
    expected = draw_targets(
        load_image(image), read_label_map(labels).labels, width=3, num_directions=16, zoom=3
    )
    assert np.array_equal(cv2.imread(str(folders / 'out.png')), expected)


def test_folder(run_tool, folders):
    args = [folders / 'images', folders / 'masks', folders / 'out']
    outcome = run_tool('view_targets.py', *args, '--max-images', 3, '--width', 'inf')
    assert outcome.status == 0, outcome.err
    drawn = sorted(
        p.relative_to(folders / 'out').as_posix() for p in (folders / 'out').rglob('*.png')
    )
    assert drawn == ['a.png', 'd.png', 'x/b.png']


def test_names_with_ends(run_tool, folders):
    for kind, end in (('images/a.jpg', '_leftImg8bit'), ('masks/a.png', '_gtFine_labelTrainIds')):
        path = folders / kind
        path.rename(path.with_stem(path.stem + end))
    outcome = run_tool(
        'view_targets.py', folders / 'images', folders / 'masks', folders / 'out',
        '--image-suffix', '_leftImg8bit', '--label-suffix', '_gtFine_labelTrainIds',
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert [p.name for p in (folders / 'out').iterdir()] == ['a.png']


def test_bad_input_is_one_line(run_tool, folders):
    image, labels = folders / 'images' / 'a.jpg', folders / 'masks' / 'a.png'
    Image.new('RGB', (57, 40)).save(folders / 'rgb.png')
    (folders / 'cut.jpg').write_bytes(image.read_bytes()[:300])
    (folders / 'lonely').mkdir()
    Image.new('L', (5, 4)).save(folders / 'lonely' / 'q.png')
    out = folders / 'out.png'
    for args, text in (
        ([image, folders / 'rgb.png', out], 'rgb.png: expected a label map with one number'),
        ([folders / 'cut.jpg', labels, out], 'cut.jpg is not an image, or is incomplete'),
        ([folders / 'absent.jpg', labels, out], 'cannot read'),
        ([folders / 'images' / 'd.jpg', labels, out], 'expected the size of'),
        ([image, labels, folders / 'out.jpg'], 'out.jpg: expected a .png file'),
        ([image, labels, labels], 'is an input, which would be overwritten'),
        ([image, labels, out, '--num-directions', 19], 'not the number of classes'),
        ([image, labels, out, '--zoom', 0], 'zoom: expected 1 or more'),
        ([image, labels, out, '--width', -1], 'width'),
        ([image, labels, out, '--width', 'nan'], 'width'),
        ([folders / 'images', folders / 'lonely', folders / 'o'], 'q.png: no image of that name'),
    ):
        before = labels.read_bytes()
        outcome = run_tool('view_targets.py', *args)
        assert outcome.status == 1, args
        assert text in outcome.err
        assert len(outcome.err.splitlines()) == 1
        assert outcome.err.startswith('view_targets.py: error: ')
        assert not out.exists()
        assert labels.read_bytes() == before
