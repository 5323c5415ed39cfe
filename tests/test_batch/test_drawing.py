"""Pictures are drawn when the masks of their own image are refined."""

import cv2
import numpy as np
import pytest

from mmrefine.batch.drawing import DrawingSource
from mmrefine.batch.source import ImageFile, RefinerSource
from mmrefine.refiners import Refiner


class Shift(Refiner):
    def refine(self, image, masks):
        return np.roll(masks, 1, axis=-1)


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    for name in 'ab':
        path = tmp_path / f'{name}.png'
        cv2.imwrite(str(path), rng.integers(0, 256, (40, 60, 3), dtype=np.uint8))
    return [ImageFile(tmp_path / f'{name}.png', [f'x/{name}', name]) for name in 'ab']


def stack() -> np.ndarray:
    masks = np.zeros((2, 40, 60), np.uint8)
    masks[0, 5:20, 5:30] = 1
    masks[1, 10:35, 20:50] = 1
    return masks


def test_a_picture_is_there_when_its_image_is_done(images, tmp_path):
    with DrawingSource(RefinerSource(Shift()), tmp_path / 'pictures') as source:
        for image in images:
            picture = tmp_path / 'pictures' / f'{image.name}.png'
            assert not source.is_done(image)
            with source.open(image) as opened:
                for mask in stack():  # in several parts
                    opened.refine(mask[None])
                assert not picture.exists()
            assert picture.exists()
            assert source.is_done(image)
    assert source.failed == []


def refine_and_fail(source, image) -> None:
    with source.open(image) as opened:
        opened.refine(stack())
        opened.refine(stack(), 'more than masks')


def test_an_image_that_fails_gets_no_picture_and_the_next_one_its_own(images, tmp_path):
    with DrawingSource(RefinerSource(Shift()), tmp_path / 'pictures') as source:
        with pytest.raises(TypeError):
            refine_and_fail(source, images[0])
        with source.open(images[1]) as opened:
            opened.refine(stack())
    assert [path.name for path in (tmp_path / 'pictures' / 'x').iterdir()] == ['b.png']
    assert source.failed == []


def test_an_image_without_masks_gets_no_picture(images, tmp_path):
    source = DrawingSource(RefinerSource(Shift()), tmp_path / 'pictures')
    with source, source.open(images[0]):
        pass
    assert not (tmp_path / 'pictures').exists()
