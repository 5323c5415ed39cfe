"""Label maps as COCO annotations and results, read back by what learns from them."""

import json

import numpy as np
import pytest
from PIL import Image

from mmrefine.files.instances import read_annotations, read_coarse
from mmrefine.ops.run_lengths import decode_mask

SIZE = (30, 43)


@pytest.fixture
def folders(tmp_path):
    rng = np.random.default_rng(0)
    maps = {}
    for kind in ('labels', 'predictions'):
        for name in ('a', 'sub/b'):
            path = tmp_path / kind / f'{name}_ids.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            labels = rng.integers(0, 3, (3, 4)).repeat(10, 0).repeat(11, 1)[: SIZE[0], : SIZE[1]]
            labels[0, :5] = 7  # too small to count
            labels[-2:] = 255
            Image.fromarray(labels.astype(np.uint8)).save(path)
            maps[kind, f'{name}.jpg'] = labels
    return tmp_path, maps


def test_every_class_of_an_image_is_an_instance(run_tool, folders):
    folder, maps = folders
    names = ['--image-suffix', '.jpg', '--label-suffix', '_ids', '--min-area', 6]
    truth, coarse = folder / 'truth.json', folder / 'coarse.json'
    assert run_tool('label_maps_to_coco.py', folder / 'labels', truth, *names).status == 0
    outcome = run_tool(
        'label_maps_to_coco.py', folder / 'predictions', coarse, *names, '--annotations', truth
    )
    assert outcome.status == 0
    images = read_annotations(truth)
    assert [i.file_name for i in images] == ['a.jpg', 'sub/b.jpg']
    predicted = read_coarse(coarse, images)
    for image in images:
        both = ('labels', image.instances), ('predictions', predicted[image.image_id])
        for kind, instances in both:
            labels = maps[kind, image.file_name]
            present = sorted(set(np.unique(labels)) - {7, 255})
            assert [i.category for i in instances] == present
            for instance in instances:
                mask = decode_mask(instance.segmentation, SIZE)
                assert np.array_equal(mask, labels == instance.category)


def test_predictions_of_unknown_images_are_refused(run_tool, folders):
    folder, _ = folders
    truth = folder / 'truth.json'
    truth.write_text(json.dumps(dict(images=[], annotations=[], categories=[])))
    outcome = run_tool(
        'label_maps_to_coco.py', folder / 'labels', folder / 'o.json', '--annotations', truth
    )
    assert outcome.status == 1
    assert f'{truth} has no image a_ids.png' in outcome.err
    assert not (folder / 'o.json').exists()
