"""Every format of instance masks: read, given other masks, written, read again."""

import copy
import json
import pickle

import cv2
import numpy as np
import pytest
import torch

pytest.importorskip('shapely')

from mmrefine.files.mask_files import resized
from mmrefine.files.open_mask_file import open_mask_file
from mmrefine.ops.run_lengths import decode_mask, encode_mask

SIZE = (40, 56)
SQUARE = [10, 10, 30, 10, 30, 30, 10, 30]
POINTS = [[10, 10], [30, 10], [30, 30], [10, 30]]


def square() -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[10:30, 10:30] = True
    return mask


def ring() -> np.ndarray:
    """A disc with a hole, an island in it, and another one at the border."""
    canvas = np.zeros(SIZE, np.uint8)
    cv2.circle(canvas, (22, 20), 17, 1, -1)
    cv2.circle(canvas, (22, 20), 8, 0, -1)
    cv2.circle(canvas, (22, 20), 2, 1, -1)
    canvas[30:, 48:] = 1
    return canvas > 0


def coco_results() -> list:
    return [
        dict(image_id='a', category_id=2, score=0.5, segmentation=encode_mask(square()), x=[1]),
        dict(image_id='b', category_id=1, score=float('nan'), segmentation=[SQUARE]),
        dict(image_id='a', category_id=3, bbox=[1, 2, 3, 4]),
    ]


def coco_annotations() -> dict:
    crowd = dict(encode_mask(square()), note='as it is')
    return dict(
        info=dict(year=2020, contributor='Zoë'),
        licenses=[dict(id=1)],
        annotations=[
            dict(id=7, image_id=2, category_id=1, iscrowd=0, segmentation=[SQUARE], area=1.5,
                 bbox=[0, 0, 1, 1], attributes=dict(occluded=True)),
            dict(id=3, image_id=1, category_id=1, iscrowd=1, segmentation=crowd, area=400),
            dict(id=4, image_id=1, category_id=1, bbox=[1, 2, 3, 4]),
            dict(id=5, image_id=1, category_id=1, bbox=[1, 2, 3, 4], segmentation=[]),
            dict(id=6, image_id=1, category_id=1, segmentation=encode_mask(square())),
        ],
        images=[dict(id=1, file_name='a.jpg', height=40, width=56, extra=None),
                dict(id=2, coco_url='http://x/train2017/b.jpg', height=40, width=56)],
        categories=[dict(id=1, name='cell')],
        own=[1, 2],
    )  # fmt: skip


def sa_1b() -> dict:
    entry = dict(segmentation=encode_mask(square()), area=400, bbox=[10, 10, 20, 20], id=9,
                 predicted_iou=0.9, point_coords=[[12.5, 14]], stability_score=1)  # fmt: skip
    image = dict(image_id=4, file_name='sa_4.jpg', height=40, width=56)
    return dict(image=image, annotations=[entry])


def labelme() -> dict:
    shapes = [
        dict(label='cell', points=POINTS, group_id=None, shape_type='polygon', flags={}),
        dict(label='box', points=[[1, 1], [4, 4]], group_id=None, shape_type='rectangle'),
        dict(label='two', points=POINTS, group_id=3, shape_type='polygon'),
        dict(label='two', points=[[40, 2], [50, 2], [50, 9]], group_id=3, shape_type='polygon'),
    ]
    return dict(version='5.0', flags={}, shapes=shapes, imagePath='..\\img\\a.jpg',
                imageData=None, imageHeight=40, imageWidth=56)  # fmt: skip


def mmdet(counts: type) -> list:
    coded = encode_mask(square())
    coded['counts'] = coded['counts'].encode() if counts is bytes else coded['counts']
    instances = dict(
        masks=[coded], bboxes=torch.tensor([[1.0, 2, 3, 4]]), labels=np.array([3]),
        scores=torch.tensor([0.5], dtype=torch.float16),
    )  # fmt: skip
    other = dict(img_id=2, img_path='data/b.jpg', pred_instances=dict(labels=np.zeros(0)))
    sample = dict(img_id=np.int64(1), img_path='data/a.jpg', ori_shape=SIZE,
                  scale_factor=(np.float32(1.5), 1.5), pred_instances=instances)  # fmt: skip
    return [sample, other]


def write(path, content):
    if isinstance(content, str):
        path.write_text(content)
    elif path.suffix == '.pkl':
        path.write_bytes(pickle.dumps(content))
    else:
        path.write_text(json.dumps(content))
    return path


YOLO = '1 0.178571 0.25 0.535714 0.25 0.535714 0.75 0.178571 0.75\n0 0.5 0.5 0.2 0.2\n'
FILES = {
    'results.json': coco_results(),
    'annotations.json': coco_annotations(),
    'sa_4.json': sa_1b(),
    'amg.json': sa_1b()['annotations'],
    'labelme.json': labelme(),
    'yolo.txt': YOLO + '2 0.2 0.2 0.4 0.2 0.4 0.6 0.875\n',
    'results.pkl': mmdet(str),
    'bytes.pkl': mmdet(bytes),
}
FORMATS = dict(zip(FILES, ['CocoResults', 'CocoAnnotations', 'SamMasks', 'SamMasks', 'LabelMe', 'YoloLabels', 'DetResults', 'DetResults'], strict=True))  # fmt: skip  # noqa: E501


def masks_of(file):
    """Image, place and decoded mask of each mask that can be refined."""
    return [
        (image.image_id, place, file.decode(mask, SIZE))
        for image in file.images()
        for place, mask in image.masks.items()
        if mask is not None
    ]


@pytest.mark.parametrize('name', FILES)
def test_the_format_is_seen_from_the_content(tmp_path, name):
    file = open_mask_file(write(tmp_path / name, FILES[name]))
    assert type(file).__name__ == FORMATS[name]
    assert open_mask_file(tmp_path / name, file.format).format == file.format
    found = masks_of(file)
    assert found
    first = next(mask for *_, mask in found)
    np.testing.assert_array_equal(first, square())


@pytest.mark.parametrize('name', FILES)
def test_nothing_replaced_is_nothing_changed(tmp_path, name):
    path = write(tmp_path / name, FILES[name])
    content = open_mask_file(path).content({})
    if name.endswith('.json'):
        assert json.dumps(json.loads(content)) == path.read_text()  # the order of keys, too
    elif name.endswith('.txt'):
        assert content == path.read_bytes()
    else:
        assert repr(pickle.loads(content)) == repr(FILES[name])


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('polygons', [None, True, False])
def test_other_masks_come_back(tmp_path, name, polygons):
    polygons = None if name.endswith('.pkl') else polygons
    file = open_mask_file(write(tmp_path / name, FILES[name]), polygons=polygons)
    target = ring()
    changed = {}
    places = [(image.image_id, place, mask) for image in file.images() for place, mask in image.masks.items() if mask is not None]  # fmt: skip  # noqa: E501
    for _, place, mask in places:
        assert not file.is_kept(mask, 5)
        changed[place] = json.loads(json.dumps(file.replacement(mask, target)))
    again_path = tmp_path / f'again{(tmp_path / name).suffix}'
    again_path.write_bytes(file.content(changed))
    again = open_mask_file(again_path, file.format)
    found = masks_of(again)
    assert len(found) == len(places)
    for (_, _, back), (image_id, *_) in zip(found, places, strict=True):
        assert (back & target).sum() / (back | target).sum() >= 0.99
        assert image_id is not None
    assert again.left_alone == file.left_alone


@pytest.mark.parametrize('name', ['annotations.json', 'results.json', 'sa_4.json'])
def test_only_masks_areas_and_boxes_change(tmp_path, name):
    given = copy.deepcopy(FILES[name])
    file = open_mask_file(write(tmp_path / name, given))
    image = file.images()[0]
    place, mask = next(iter(image.masks.items()))
    replacement = file.replacement(mask, ring())
    content = json.loads(file.content({place: replacement}))
    entries = content if isinstance(content, list) else content['annotations']
    before = given if isinstance(given, list) else given['annotations']
    rows, columns = np.flatnonzero(ring().any(1)), np.flatnonzero(ring().any(0))
    box = [columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1]
    expected = dict(before[place], segmentation=entries[place]['segmentation'])
    if name != 'results.json':
        expected |= dict(area=int(ring().sum()), bbox=box)
    assert list(entries[place]) == list(expected)
    assert entries[place] == expected
    entries[place] = before[place]
    assert json.dumps(content) == json.dumps(given)


def test_annotations_without_masks_are_counted(tmp_path):
    file = open_mask_file(write(tmp_path / 'a.json', coco_annotations()))
    assert [len(image.masks) for image in file.images()] == [1, 1]
    assert file.left_alone == {'crowd regions': 1, 'without a mask': 2}
    assert file.names == {1: 'a.jpg', 2: 'train2017/b.jpg'}


def test_parts_of_a_group_are_one_object_of_labelme(tmp_path):
    file = open_mask_file(write(tmp_path / 'a.json', labelme()))
    [image] = file.images()
    assert list(image.masks) == [0, 2]
    assert image.image_id == '..\\img\\a.jpg'
    replacements = {0: file.replacement(image.masks[0], ring())}
    shapes = json.loads(file.content(replacements))['shapes']
    cells = [shape for shape in shapes if shape['label'] == 'cell']
    assert len(cells) > 2  # the ring is cut, and has islands
    assert {shape['group_id'] for shape in cells} == {4}
    assert [shape for shape in shapes if shape['label'] != 'cell'] == labelme()['shapes'][1:]


def test_masks_of_labelme(tmp_path):
    content = labelme()
    file = open_mask_file(write(tmp_path / 'a.json', content))
    shape = dict(label='m', shape_type='mask', group_id=None)
    content['shapes'] = [dict(shape, **file.replacement([shape], ring())['mask'])]
    again = open_mask_file(write(tmp_path / 'b.json', content))
    [(_, place, mask)] = masks_of(again)
    np.testing.assert_array_equal(mask, ring())
    stored = again.replacement(again.images()[0].masks[place], square())
    [shape] = json.loads(again.content({place: stored}))['shapes']
    assert shape['points'] == [[10, 10], [29, 29]]
    as_polygons = open_mask_file(tmp_path / 'b.json', polygons=True)
    mask = as_polygons.images()[0].masks[0]
    assert not as_polygons.is_kept(mask, 0)
    replacements = {0: as_polygons.replacement(mask, square())}
    [shape] = json.loads(as_polygons.content(replacements))['shapes']
    assert shape['shape_type'] == 'polygon'
    assert 'mask' not in shape


class Evil:
    def __reduce__(self):
        return (print, ('EXECUTED',))


@pytest.mark.parametrize(
    'content',
    [
        Evil(),
        [dict(img_path='a', pred_instances=dict(masks=[Evil()]))],
        [dict(img_path='a', scores=np.array([Evil()], object))],
    ],
)
def test_a_pickle_runs_nothing(tmp_path, capsys, content):
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=r'expected results of mmdet.*builtins\.print'):
        open_mask_file(path)
    assert 'EXECUTED' not in capsys.readouterr().out


def test_a_tensor_in_a_pickle_runs_nothing(tmp_path, capsys):
    """What torch's own pickles hold is a pickle again."""
    import io

    inner = io.BytesIO()
    torch.save(Evil(), inner)

    class Storage:
        def __reduce__(self):
            return (torch.storage._load_from_bytes, (inner.getvalue(),))

    (tmp_path / 'a.pkl').write_bytes(pickle.dumps([Storage()]))
    with pytest.raises(ValueError, match='expected results of mmdet'):
        open_mask_file(tmp_path / 'a.pkl')
    assert 'EXECUTED' not in capsys.readouterr().out


@pytest.mark.parametrize(
    ('name', 'content', 'text'),
    [
        ('a.json', dict(x=1), 'expected COCO results .* got an object with x'),
        ('a.json', 5, 'got int'),
        ('a.json', [1], 'entry 0: expected COCO results'),
        ('a.json', dict(images=[dict(id=1)], annotations=[]), 'each with id and file_name'),
        ('a.json', dict(shapes=[1]), 'got an object|expected a file of LabelMe'),
        ('a.json', dict(image={}, annotations=3), 'expected masks of Segment Anything'),
        ('a.txt', 'cat 1 2', "line 1: expected a class and points .* got 'cat 1 2'"),
        ('a.txt', '0 100 100 200 100 200 200', 'from 0 to 1'),
        ('a.pkl', dict(a=1), 'a list of images, got a dict'),
        ('a.pkl', [([], [])], 'image 0: expected results of mmdet 3, .* got a tuple'),
    ],
)
def test_what_is_of_no_format_is_named(tmp_path, name, content, text):
    with pytest.raises(ValueError, match=text):
        open_mask_file(write(tmp_path / name, content))


def test_a_format_that_is_insisted_on(tmp_path):
    path = write(tmp_path / 'a.json', coco_results())
    with pytest.raises(ValueError, match='expected masks of Segment Anything'):
        open_mask_file(path, 'sam')
    with pytest.raises(ValueError, match='format: expected one of coco, sam'):
        open_mask_file(path, 'voc')


def test_masks_of_another_size_are_resized_on_request(tmp_path):
    half = cv2.resize(square().astype(np.uint8), (28, 20), interpolation=cv2.INTER_NEAREST)
    path = write(tmp_path / 'a.json', [dict(image_id='a', segmentation=encode_mask(half))])
    file = open_mask_file(path)
    mask = file.images()[0].masks[0]
    np.testing.assert_array_equal(file.decode(mask, SIZE, resize=True), square())
    with pytest.raises(ValueError, match=r'size .* is not the size'):
        file.decode(mask, SIZE)


def test_soft_masks_are_resized_before_they_are_cut():
    slope = np.tile(np.linspace(0, 1, 5, dtype=np.float32), (3, 1))
    cut = resized(slope, (12, 40))
    columns = np.flatnonzero(cut[5])
    assert cut.shape == (12, 40)
    assert columns[0] == 20  # where 0.5 is, half way; cut before, 16 or 24
    np.testing.assert_array_equal(decode_mask(encode_mask(cut), (12, 40)), cut)
