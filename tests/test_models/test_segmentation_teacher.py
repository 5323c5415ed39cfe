import copy
import json

import pytest
import torch
from small_depth import depth_batch, depth_model

from mmrefine.models.teachers import SegmentationTeacher, read_groups
from mmrefine.registry import MODELS

MODEL = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[110, 120, 130], std=[50, 51, 52], bgr_to_rgb=True
    ),
    backbone=dict(type='ResNet', depth=18, base_channels=4, stem_channels=4, out_indices=(3,)),
    decode_head=dict(
        type='FCNHead', in_channels=32, channels=32, num_convs=0, concat_input=False,
        num_classes=19, align_corners=False,
    ),
    test_cfg=dict(mode='whole'),
)  # fmt: skip


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    with MODELS.switch_scope_and_registry('mmseg') as registry:
        network = registry.build(copy.deepcopy(MODEL))
    path = tmp_path_factory.mktemp('teacher') / 'teacher.pth'
    torch.save({'state_dict': network.state_dict()}, path)
    return path


def test_cityscapes_groups_are_those_of_the_design():
    groups = read_groups('cityscapes')
    assert len(groups.names) == 7
    assert sorted(set(groups.group_of_class)) == list(range(7))  # every class has a group
    from mmseg.datasets import CityscapesDataset

    of = dict(zip(CityscapesDataset.METAINFO['classes'], groups.group_of_class, strict=True))
    for members in (
        'road sidewalk terrain', 'building wall fence', 'vegetation', 'sky',
        'person rider motorcycle bicycle', 'car truck bus train',
    ):  # fmt: skip
        assert len({of[name] for name in members.split()}) == 1
    assert of['pole'] == of['traffic light'] == of['traffic sign']


def test_labels_are_those_of_the_network_grouped(checkpoint):
    teacher = SegmentationTeacher(checkpoint, MODEL)
    frames = torch.randint(256, (2, 3, 41, 67), dtype=torch.uint8)
    found = teacher(frames)
    assert found.shape == (2, 41, 67)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([110, 120, 130], [50, 51, 52]))
    inputs = (frames.flip(1).float() - mean) / std
    meta = dict(img_shape=(41, 67), ori_shape=(41, 67))
    logits = teacher.network.encode_decode(inputs, [meta] * 2)
    table = torch.tensor(read_groups('cityscapes').group_of_class)
    assert torch.equal(found, table[logits.argmax(1)])
    assert len(found.unique()) > 1


def test_padding_of_the_preprocessor_is_cut_off(checkpoint):
    padded = copy.deepcopy(MODEL)
    padded['data_preprocessor']['test_cfg'] = dict(size_divisor=32)
    teacher = SegmentationTeacher(checkpoint, padded)
    assert teacher(torch.zeros(1, 3, 41, 67, dtype=torch.uint8)).shape == (1, 41, 67)


def test_model_holds_the_teacher_but_not_its_weights(checkpoint):
    model = depth_model(
        depth_to_seg=dict(type='mmrefine.DepthToSegHead', num_groups=7),
        teacher=dict(type='mmrefine.SegmentationTeacher', checkpoint=str(checkpoint), config=MODEL),
    )
    network = model.teacher.network
    before = copy.deepcopy(network.state_dict())
    assert not any('teacher' in name for name in model.state_dict())
    assert not {id(p) for p in network.parameters()} & {id(p) for p in model.parameters()}
    assert copy.deepcopy(model).teacher is model.teacher
    model.train()
    assert not network.training
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    data = model.data_preprocessor(depth_batch(), True)
    losses = model(**data, mode='loss')
    losses['loss_depth_to_seg'].backward()
    assert losses['loss_depth_to_seg'] > 0
    assert all(p.grad is None for p in network.parameters())
    for part in (model.backbone, model.decode_head, model.depth_to_seg):
        assert sum(p.grad.abs().sum() for p in part.parameters() if p.grad is not None) > 0
    optimizer.step()
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


@pytest.mark.parametrize(
    ('content', 'text'),
    [
        (None, 'expected cityscapes or a JSON file'),
        ('{', r'must hold \{"classes": \[names\]'),
        ('[]', r'must hold \{"classes": \[names\]'),
        (dict(classes=['a', 'b'], groups=dict(x=['a'], y=['c'])), "names 'c', which is none"),
        (dict(classes=['a', 'b'], groups=dict(x=['a'], y=['a'])), 'more than one group'),
        (dict(classes=['a', 'b'], groups=dict(x=['a'])), 'two groups or more, has 1'),
    ],
)
def test_bad_groups_are_refused(tmp_path, content, text):
    path = tmp_path / 'groups.json'
    if content is not None:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ValueError, match=text):
        read_groups(path)


def test_class_in_no_group_is_ignored(tmp_path):
    path = tmp_path / 'groups.json'
    path.write_text(json.dumps(dict(classes=['a', 'b', 'c'], groups=dict(x=['c'], y=['a']))))
    assert read_groups(path) == (('x', 'y'), (1, 255, 0))


def test_teacher_that_does_not_fit_is_refused(checkpoint, tmp_path):
    path = tmp_path / 'groups.json'
    path.write_text(json.dumps(dict(classes=['a', 'b'], groups=dict(x=['a'], y=['b']))))
    with pytest.raises(ValueError, match='is for 2 classes, the teacher has 19'):
        SegmentationTeacher(checkpoint, MODEL, path)
    teacher = dict(type='mmrefine.SegmentationTeacher', checkpoint=str(checkpoint), config=MODEL)
    with pytest.raises(ValueError, match='teacher: it needs depth_to_seg'):
        depth_model(teacher=teacher)
    head = dict(type='mmrefine.DepthToSegHead', num_groups=5)
    with pytest.raises(ValueError, match='num_groups is 5, the teacher has 7 groups: flat'):
        depth_model(teacher=teacher, depth_to_seg=head)
    with pytest.raises(ValueError, match='does not exist'):
        SegmentationTeacher(tmp_path / 'no.pth', MODEL)
