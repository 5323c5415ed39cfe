"""What the tests of the metrics share."""

import json

import pytest

from mmrefine.measures.coco import encode

from .samples import CLASSES, SIZE_HW, det_sample

IMAGES = 5
CATEGORY_IDS = {'road': 7, 'car': 3, 'tree': 11}  # in no order


def coco_annotations():
    """The truth of ``det_sample(0)`` ... ``det_sample(4)`` in COCO's format."""
    annotations = []
    for image in range(IMAGES):
        _, masks, labels = det_sample(image)
        for mask, label in zip(masks, labels, strict=True):
            annotations.append(
                dict(
                    id=len(annotations),
                    image_id=image,
                    category_id=CATEGORY_IDS[CLASSES[label]],
                    segmentation=encode(mask),
                    area=int(mask.sum()),
                    iscrowd=0,
                )
            )
    return dict(
        images=[
            dict(id=i, file_name=f'{i}.png', height=SIZE_HW[0], width=SIZE_HW[1])
            for i in range(IMAGES)
        ],
        annotations=annotations,
        categories=[dict(id=i, name=name) for name, i in sorted(CATEGORY_IDS.items())],
    )


@pytest.fixture(scope='session')
def annotation_file(tmp_path_factory):
    """Return the annotations as a file."""
    path = tmp_path_factory.mktemp('coco') / 'annotations.json'
    path.write_text(json.dumps(coco_annotations()))
    return path
