"""HS3's heads learn clusters, keep ignored pixels, and are not there when predicting."""

import json

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from small_segfix import make_lively
from torch.nn import functional as F

from mmrefine.models.backbones import HRNet
from mmrefine.models.decode_heads import ClusterAuxHead, HS3FuseHead
from mmrefine.models.decode_heads.cluster_labels import ClusterLabels

LABEL_MAP = [0, 1, 0, 2, 1]
STAGES = {
    f'stage{number}': dict(
        num_modules=1,
        num_branches=number,
        block='BASIC' if number > 1 else 'BOTTLENECK',
        num_blocks=(1,) * number,
        num_channels=tuple(4 * 2**i for i in range(number)),
    )
    for number in (1, 2, 3, 4)
}
BACKBONE = dict(type='mmrefine.HRNet', extra=STAGES, early_stages=True)
AUX = dict(
    type='mmrefine.ClusterAuxHead',
    input_transform='resize_concat',
    num_classes=5,
    norm_cfg=dict(type='BN'),
)
AUXILIARY = [
    dict(AUX, label_map=LABEL_MAP, in_index=(4, 5), in_channels=[4, 8], channels=12),
    dict(AUX, label_map=[0, 1, 2, 3, 3], in_index=(6, 7, 8), in_channels=[4, 8, 16], channels=28),
]
FCN = dict(
    type='mmseg.FCNHead',
    in_channels=(4, 8, 16, 32),
    in_index=(0, 1, 2, 3),
    input_transform='resize_concat',
    channels=8,
    num_convs=1,
    concat_input=False,
    num_classes=5,
    norm_cfg=dict(type='BN'),
)
FUSE = dict(
    type='mmrefine.HS3FuseHead',
    stages=[
        dict(in_index=(4, 5), in_channels=(4, 8), label_map=LABEL_MAP),
        dict(in_index=6, in_channels=4, label_map=[0, 1, 2, 3, 3]),
        dict(in_index=(0, 1, 2, 3), in_channels=(4, 8, 16, 32)),
    ],
    num_classes=5,
    channels=16,
    key_channels=8,
    norm_cfg=dict(type='BN'),
)
SIZE = (48, 64)


def model(decode_head: dict, auxiliary_head: list | None = None) -> EncoderDecoder:
    network = EncoderDecoder(
        backbone=dict(BACKBONE),
        decode_head=dict(decode_head),
        auxiliary_head=auxiliary_head,
        test_cfg=ConfigDict(mode='whole'),
    )
    return make_lively(network)


def samples(count: int = 2) -> list[SegDataSample]:
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(count):
        labels = torch.randint(0, 5, (1, *SIZE), generator=generator)
        labels[:, :7] = 255
        meta = dict(img_shape=SIZE, ori_shape=SIZE, pad_shape=SIZE)
        sample = SegDataSample(metainfo=meta, gt_sem_seg=PixelData(data=labels))
        found.append(sample)
    return found


def images(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 3, *SIZE, generator=torch.Generator().manual_seed(1))


@pytest.mark.quick
def test_ignored_pixels_stay_ignored():
    labels = torch.tensor([[0, 1, 2, 3, 4, 255], [255, 4, 3, 2, 1, 0]])
    found = ClusterLabels(LABEL_MAP, 5)(labels, 255)
    assert found.tolist() == [[0, 1, 0, 2, 1, 255], [255, 1, 2, 0, 1, 0]]
    assert ClusterLabels(LABEL_MAP, 5)(labels.clamp(max=4), 4).tolist()[0] == [0, 1, 0, 2, 4, 4]
    assert labels[0, 5] == 255  # what was given is as it was
    assert not ClusterLabels(LABEL_MAP, 5).state_dict()


def test_loss_is_the_cross_entropy_of_clusters():
    head = ClusterAuxHead(
        LABEL_MAP, 5, in_channels=4, in_index=0, channels=4, norm_cfg=dict(type='BN')
    )
    assert head.num_classes == head.conv_seg.out_channels == 3
    logits = torch.randn(2, 3, 12, 16, generator=torch.Generator().manual_seed(2))
    batch = samples()
    losses = head.loss_by_feat(logits, batch)
    target = torch.cat([s.gt_sem_seg.data for s in batch])
    for label, cluster in [(4, 11), (3, 12), (2, 10), (1, 11), (0, 10)]:
        target[target == label] = cluster
    target[target != 255] -= 10
    enlarged = F.interpolate(logits, SIZE, mode='bilinear')
    expected = 0.4 * F.cross_entropy(enlarged, target, ignore_index=255)
    torch.testing.assert_close(losses['loss_ce'], expected)


def test_predictions_are_bit_equal_without_the_heads():
    with_heads, without = model(FCN, AUXILIARY).eval(), model(FCN).eval()
    kept = {k: v for k, v in with_heads.state_dict().items() if not k.startswith('auxiliary')}
    without.load_state_dict(kept)  # strictly: nothing else belongs to it
    for a, b in zip(
        with_heads.predict(images(), samples()), without.predict(images(), samples()), strict=True
    ):
        assert torch.equal(a.seg_logits.data, b.seg_logits.data)
        assert len(a.pred_sem_seg.data.unique()) > 1


def test_early_stages_are_behind_the_four_of_mmseg():
    network, plain = make_lively(HRNet(STAGES, early_stages=True)), HRNet(STAGES)
    plain.load_state_dict(network.state_dict())
    network.eval(), plain.eval()
    seen = []
    for stage in (network.stage2, network.stage3):
        stage.register_forward_hook(lambda _, __, output: seen.extend(output))
    found = network(images())
    assert len(found) == 9
    assert all(torch.equal(a, b) for a, b in zip(found[:4], plain(images()), strict=True))
    assert [x.shape[1] for x in found[4:]] == [4, 8, 4, 8, 16]
    assert all(a is b for a, b in zip(found[4:], seen, strict=True))


@pytest.mark.parametrize('decode_head', [FCN, FUSE], ids=['clusters', 'fuse'])
def test_every_weight_learns(decode_head):
    network = model(decode_head, AUXILIARY if decode_head is FCN else None).train()
    losses = network.loss(images(), samples())
    weights = [name for name in losses if 'loss' in name]
    assert len(weights) == (3 if decode_head is FCN else 4)
    sum(losses[name] for name in weights).backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    # A bias before a softmax over positions or a batch norm changes nothing.
    assert not [n for n in idle if not n.endswith('bias')]


def test_fuse_sees_every_stage_and_gives_the_finest_size():
    head = make_lively(HS3FuseHead(**{k: v for k, v in FUSE.items() if k != 'type'})).eval()
    features = [
        torch.randn(1, c, 12 // s, 16 // s, requires_grad=True)
        for c, s in ((4, 1), (8, 2), (16, 4), (32, 8), (4, 1), (8, 2), (4, 1))
    ]
    scores = head(features)
    assert scores.shape == (1, 5, 12, 16)
    scores.square().sum().backward()
    assert all(f.grad.any() for f in features)
    fused, clusters = head.forward_stages(features)
    assert torch.equal(fused, scores)
    assert [c.shape[1] for c in clusters] == [3, 4, 5]


def test_label_map_from_the_file_of_the_tool(tmp_path):
    path = tmp_path / 'clusters.json'
    path.write_text(json.dumps(dict(layers=[dict(label_map=LABEL_MAP), dict(label_map=[0] * 5)])))
    assert ClusterLabels(path, 5).table.tolist() == LABEL_MAP
    with pytest.raises(ValueError, match=r'layer: .*clusters\.json has layers 0 to 1, got 2'):
        ClusterLabels(path, 5, layer=2)
    path.write_text('{"layers": 3}')
    with pytest.raises(ValueError, match=r'was not written by tools/derive_clusters\.py'):
        ClusterLabels(str(path), 5)
    with pytest.raises(ValueError, match='absent'):
        ClusterLabels(tmp_path / 'absent.json', 5)


@pytest.mark.parametrize(
    ('label_map', 'text'),
    [
        ([0, 1, 1, 0], r'label_map: expected a cluster for each of 5 classes, got 4'),
        ([0, 1, 2, 3, 4, 5], r'for each of 5 classes, got 6'),
        ([0, 1, 2, 3, 7], r'label_map: 8 clusters are more than the 5 classes'),
        ([0, 1, 3, 1, 0], r'without a gap, 2 or more, got \[0, 1, 3\]'),
        ([0, 0, 0, 0, 0], r'2 or more, got \[0\]'),
        ([0, -1, 1, 0, 0], r'without a gap'),
        ([0.0, 1, 0, 1, 0], r'expected integers'),
    ],
)
def test_wrong_label_maps_are_named(label_map, text):
    with pytest.raises(ValueError, match=text):
        ClusterLabels(label_map, 5)


def test_wrong_labels_and_stages_are_named():
    with pytest.raises(ValueError, match=r'labels: expected 0 to 4 or 255, got 0 to 9'):
        ClusterLabels(LABEL_MAP, 5)(torch.tensor([0, 9, 255]), 255)
    with pytest.raises(ValueError, match=r'stages: expected 2 or more, got 1'):
        HS3FuseHead(stages=FUSE['stages'][:1], num_classes=5)
