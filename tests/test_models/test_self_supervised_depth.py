import numpy as np
import pytest
import torch
from mmengine.config import Config
from small_depth import SIZE, depth_batch, depth_config, depth_model

from mmrefine.models.checkpoint import build_model, publish_checkpoint
from mmrefine.models.pose_nets import PoseNet
from mmrefine.registry import MODELS

HEAD = dict(type='mmrefine.DepthToSegHead', num_groups=4, channels=(4, 4))


def losses_of(model: torch.nn.Module, batch: dict | None = None) -> dict:
    return model(**model.data_preprocessor(batch or depth_batch(), True), mode='loss')


def test_losses_reach_depth_and_motion():
    model = depth_model().train()
    losses = losses_of(model)
    assert set(losses) == {'loss_photometric', 'loss_smoothness'}
    sum(losses.values()).backward()
    for part in (model.backbone, model.decode_head, model.pose_net):
        assert sum(p.grad.abs().sum() for p in part.parameters() if p.grad is not None) > 0


def test_labels_of_the_dataset_teach_where_there_is_no_teacher():
    model = depth_model(depth_to_seg=HEAD).train()
    assert set(losses_of(model)) == {'loss_photometric', 'loss_smoothness', 'loss_depth_to_seg'}
    batch = depth_batch()
    del batch['data_samples'][1].gt_sem_seg
    with pytest.raises(ValueError, match='there are no classes to learn from; give a teacher'):
        losses_of(model, batch)


def test_motion_of_the_past_is_the_way_back(monkeypatch):
    model = depth_model().eval()
    data = model.data_preprocessor(depth_batch(1), True)
    target, past, later = data['inputs'].unflatten(1, (-1, 3)).unbind(1)
    back, ahead = model._motions(data['inputs'], data['data_samples'])
    torch.testing.assert_close(back, torch.linalg.inv(model.pose_net(past, target)))
    torch.testing.assert_close(ahead, model.pose_net(target, later))
    assert not torch.allclose(ahead, torch.eye(4), atol=1e-6)


def test_preprocessor_takes_rgb_frames_and_clean_ones_stay():
    model = depth_model()
    batch = depth_batch()
    data = model.data_preprocessor(batch, True)
    first = batch['inputs'][0].float()
    for channel, of in enumerate([2, 1, 0, 5, 4, 3, 8, 7, 6]):
        torch.testing.assert_close(data['inputs'][0, channel], (first[of] - 114.75) / 57.375)
    assert data['data_samples'][0].gt_frames.data.dtype == torch.uint8
    batch['inputs'][0] = batch['inputs'][0][:, 1:]
    with pytest.raises(ValueError, match='must have one size and number, got'):
        model.data_preprocessor(batch, True)


@pytest.mark.parametrize('size', [SIZE, (33, 47)])
def test_predicts_any_size(size):
    model = depth_model().eval()
    batch = depth_batch(2, size)
    for sample in batch['data_samples']:
        sample.set_metainfo(dict(ori_shape=(51, 80)))
    batch['inputs'] = [frames[:3] for frames in batch['inputs']]
    samples = model.test_step(batch)
    depth = samples[1].pred_depth_map.data
    assert depth.shape == (1, 51, 80)
    assert 1 <= depth.min() <= depth.max() <= 50


def test_without_a_pose_net_it_predicts_and_does_not_train():
    cfg = depth_config()
    del cfg['pose_net']
    model = MODELS.build(cfg)
    assert model.eval()(torch.rand(1, 3, *SIZE)).shape == (1, 1, *SIZE)
    with pytest.raises(ValueError, match='pose_net: training needs one, got None'):
        losses_of(model)


def test_single_frames_are_refused_in_training():
    batch = depth_batch()
    batch['inputs'] = [frames[:3] for frames in batch['inputs']]
    with pytest.raises(ValueError, match='training needs the target and one source or more'):
        losses_of(depth_model(), batch)


def test_published_and_exported_model_has_nothing_of_training(tmp_path):
    cfg = depth_config(depth_to_seg=HEAD)
    model = depth_model(depth_to_seg=HEAD).eval()
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'raw.pth')
    publish_checkpoint(cfg, tmp_path / 'raw.pth', tmp_path / 'small.pth', half=False)
    published = build_model(None, tmp_path / 'small.pth')
    plain = {*model.backbone.parameters(), *model.decode_head.parameters()}
    assert sum(p.numel() for p in published.parameters()) == sum(p.numel() for p in plain)
    assert published.pose_net is published.depth_to_seg is published.teacher is None
    image = torch.rand(1, 3, *SIZE)
    traced = torch.jit.trace(published, image)
    names = {name.split('.')[0] for name, _ in traced.named_parameters()}
    assert names == {'backbone', 'decode_head'}
    torch.testing.assert_close(traced(image), model(image))


def test_mixed_precision_stays_finite():
    model = depth_model(depth_to_seg=HEAD).train()
    with torch.autocast('cpu', torch.bfloat16):
        losses = losses_of(model)
    assert all(v.isfinite() and v.dtype == torch.float32 for v in losses.values())
    sum(losses.values()).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_pose_net_sees_two_equal_frames_as_one_image():
    image_net = MODELS.build(dict(type='mmseg.ResNet', depth=18, stem_channels=8, base_channels=8))
    backbone = dict(type='mmseg.ResNet', depth=18, stem_channels=8, base_channels=8, in_channels=6)
    pose_net = PoseNet(backbone, 64, 8)
    pose_net.eval()
    image_net.eval()
    pose_net.backbone.load_state_dict(image_net.state_dict())
    image = torch.rand(1, 3, *SIZE)
    torch.testing.assert_close(pose_net.backbone(torch.cat([image, image], 1)), image_net(image))


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(ssim_weight=2), 'ssim_weight must be from 0 to 1'),
        (dict(smoothness_weight=-1), 'smoothness_weight must be >= 0'),
    ],
)
def test_bad_losses_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        MODELS.build(dict(type='mmrefine.ViewSynthesisLoss', **options))


def test_true_depth_and_motion_cost_least():
    """The loss sees depth: true disparity beats a flat one and a mirrored one."""
    loss = MODELS.build(dict(type='mmrefine.ViewSynthesisLoss', smoothness_weight=0))
    from mmrefine.ops.depth.draw_scene import (
        camera_path,
        draw_scene,
        render_scene,
        scene_intrinsics,
    )

    rng = np.random.default_rng(2)
    scene, path = draw_scene(rng), camera_path(3, rng)
    views = [render_scene(scene, path[k], SIZE) for k in (1, 0, 2)]
    frames = torch.stack([torch.from_numpy(v[0]).permute(2, 0, 1) for v in views])[None] / 255
    motions = [torch.from_numpy(np.linalg.inv(path[k]) @ path[1])[None].float() for k in (0, 2)]
    intrinsics = torch.from_numpy(scene_intrinsics(SIZE))[None].float()
    true = torch.from_numpy(1 / views[0][1])[None, None]

    def cost(disparity: torch.Tensor, motions: list = motions) -> float:
        found = loss([disparity], frames, intrinsics, motions, lambda d: 1 / d)
        return found['loss_photometric'].item()

    assert cost(true) < 0.85 * cost(true.mean().expand_as(true))
    assert cost(true) < 0.85 * cost(true.flip(3))
    assert cost(true) < 0.85 * cost(true, [torch.eye(4)[None]] * 2)
    assert cost(true) < 0.85 * cost(true, motions[::-1])


def test_config_of_a_run_is_data(tmp_path):
    """mmengine writes the config into the work folder: it must read it back."""
    cfg = Config(dict(model=depth_config(depth_to_seg=HEAD)))
    cfg.dump(tmp_path / 'c.py')
    MODELS.build(Config.fromfile(tmp_path / 'c.py').model)
