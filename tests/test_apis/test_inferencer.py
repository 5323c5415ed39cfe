"""The inferencer: what comes in comes out refined, in the same form, from memory and from files."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from small_segfix import small_segfix

import mmrefine.apis
from mmrefine.apis import RefinementInferencer
from mmrefine.refiners import Refiner, SegFixRefiner, check_masks, load_image

SIZE = (40, 60)


class RollingRefiner(Refiner):
    """Moves all labels by 3 columns; keeps what it is given."""

    def __init__(self):
        self.batches = []

    def refine(self, image, masks):
        check_masks(masks, load_image(image).shape[:2])
        return np.roll(masks, 3, -1)

    def refine_each(self, pairs):
        pairs = list(pairs)
        self.batches.append(len(pairs))
        yield from super().refine_each(pairs)


def picture(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def label_map(seed=0, dtype=np.uint8):
    labels = np.full(SIZE, 2, dtype)
    labels[10:30, 5 + seed : 40] = 7
    return labels


@pytest.fixture
def inferencer():
    return RefinementInferencer(RollingRefiner(), show_progress=False)


@pytest.fixture
def folders(tmp_path):
    """Three photographs, one in a subfolder, and their label maps, as palette PNGs."""
    for seed, name in enumerate(('a', 'b', 'sub/c')):
        for kind in ('images', 'labels'):
            (tmp_path / kind / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / 'images' / f'{name}.jpg'), picture(seed))
        image = PillowImage.fromarray(label_map(seed))
        image.putpalette([9, 8, 7] * 256)
        image.save(tmp_path / 'labels' / f'{name}.png')
    return tmp_path / 'images', tmp_path / 'labels', tmp_path / 'out'


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob('*') if path.is_file()}


def test_of_one_image_there_are_no_lists(inferencer):
    labels = label_map(dtype=np.int64)
    result = inferencer(picture(), labels, return_vis=True)
    assert set(result) == {'predictions', 'visualization'}
    assert result['predictions'].dtype == np.int64
    assert np.array_equal(result['predictions'], np.roll(labels, 3, 1))
    assert result['visualization'].shape[1:] == (1000, 3)


def test_lists_in_batches(inferencer):
    images, labels = [picture(i) for i in range(5)], [label_map(i) for i in range(5)]
    result = inferencer(images, labels, batch_size=2)
    assert inferencer.model.batches == [2, 2, 1]
    assert np.array_equal(result['predictions'], np.roll(labels, 3, -1))
    assert result['visualization'] == []


def test_pictures_are_rgb(inferencer):
    red = np.zeros((*SIZE, 3), np.uint8)
    red[..., 2] = 255
    labels = np.zeros(SIZE, np.uint8)
    vis = inferencer(red, labels, return_vis=True)['visualization']
    assert (vis[150, 200] == (255, 0, 0)).all()


def test_folders_keep_names_and_form(inferencer, folders):
    images, labels, out = folders
    result = inferencer(images, str(labels), out_dir=out, insets=1)
    assert files_below(out) == {
        *(f'pred/{name}.png' for name in ('a', 'b', 'sub/c')),
        *(f'vis/{name}.png' for name in ('a', 'b', 'sub/c')),
    }
    for seed, name in enumerate(('a', 'b', 'sub/c')):
        with PillowImage.open(out / 'pred' / f'{name}.png') as refined:
            assert refined.mode == 'P'
            assert refined.getpalette()[:3] == [9, 8, 7]
            assert np.array_equal(np.asarray(refined), np.roll(label_map(seed), 3, 1))
        assert np.array_equal(result['predictions'][seed], np.roll(label_map(seed), 3, 1))
        assert cv2.imread(str(out / 'vis' / f'{name}.png')).shape[1] == 1000


def test_predictions_or_pictures_only(inferencer, folders):
    images, labels, out = folders
    inferencer(images, labels, out_dir=out, img_out_dir='')
    assert {path.name for path in out.iterdir()} == {'pred'}
    inferencer(images, labels, out_dir=out / 'other', pred_out_dir='', width=300)
    assert {path.name for path in (out / 'other').iterdir()} == {'vis'}


def test_masks_from_memory_become_files_that_hold_them(inferencer, tmp_path):
    given = {
        'uint8': (label_map(dtype=np.int64), '.png'),
        'uint16': (label_map(dtype=np.int32) + 1000, '.png'),
        'int32': (label_map(dtype=np.int32) + 100_000, '.npy'),
        'int16': (label_map(dtype=np.int16) - 5, '.npy'),
        'bool': (np.stack([label_map() == 2, label_map() == 7]), '.npy'),
    }
    inferencer([picture()] * 5, [array for array, _ in given.values()], out_dir=tmp_path)
    names = sorted(path.name for path in (tmp_path / 'pred').iterdir())
    assert names == [f'{i:08d}{kind}' for i, (_, kind) in enumerate(given.values())]
    for name, (dtype, (array, _)) in zip(names, given.items(), strict=True):
        path = tmp_path / 'pred' / name
        read = np.load(path) if path.suffix == '.npy' else cv2.imread(str(path), -1)
        assert read.dtype == dtype
        assert np.array_equal(read, np.roll(array, 3, -1))


def test_files_of_one_name_do_not_overwrite_each_other(inferencer, tmp_path):
    paths = [tmp_path / folder / 'x.png' for folder in 'ab']
    for path in paths:
        path.parent.mkdir()
        cv2.imwrite(str(path), picture())
    inferencer(paths, [label_map(), label_map(4)], out_dir=tmp_path / 'out', img_out_dir='')
    assert files_below(tmp_path / 'out') == {'pred/x.png', 'pred/x_00000001.png'}


def test_ground_truth_colours_what_changed(inferencer):
    labels = label_map()
    truth = np.roll(labels, 3, 1)
    vermilion, blue = np.array((213, 94, 0)), np.array((0, 114, 178))
    for given, present, absent in ((truth, blue, vermilion), (labels, vermilion, blue)):
        grey = np.full((*SIZE, 3), 128, np.uint8)
        vis = inferencer(grey, labels, given, return_vis=True)['visualization']
        area = [
            (np.abs(vis - (0.85 * colour + 0.15 * 210)).max(-1) < 10).sum()
            for colour in (present, absent)
        ]
        assert area[0] > 20 * 3 * 2 * 4**2, 'two strips of 20 by 3 pixels, some 4 times as large'
        assert area[1] == 0


def test_nothing_found_in_an_image(inferencer, tmp_path):
    nothing = np.zeros((0, *SIZE), bool)
    result = inferencer(
        [picture(), picture()], [nothing, label_map()], batch_size=2, out_dir=tmp_path
    )
    assert result['predictions'][0].shape == nothing.shape
    assert np.array_equal(result['predictions'][1], np.roll(label_map(), 3, 1))
    assert len(files_below(tmp_path)) == 4


def read_video(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (frame := capture.read())[0]:
        frames.append(frame[1])
    return frames, capture.get(cv2.CAP_PROP_FPS)


@pytest.fixture
def clip(tmp_path):
    """A video of 4 frames, ever brighter, 12 a second."""
    path = tmp_path / 'clip.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), 12, SIZE[::-1])
    (tmp_path / 'labels').mkdir()
    for number in range(4):
        writer.write(np.full((*SIZE, 3), 60 * number, np.uint8))
        cv2.imwrite(str(tmp_path / 'labels' / f'{number:03d}.png'), label_map(number))
    writer.release()
    return path


def test_video_in_and_out(inferencer, clip, tmp_path):
    inferencer(
        clip, tmp_path / 'labels', out_dir=tmp_path / 'out', img_out_dir='refined.mp4', width=400
    )
    names = {'refined.mp4', *(f'pred/{number:03d}.png' for number in range(4))}
    assert files_below(tmp_path / 'out') == names
    frames, fps = read_video(tmp_path / 'out' / 'refined.mp4')
    assert fps == 12
    assert len(frames) == 4
    assert frames[0].shape[1] == 400
    brightness = [frame[-20:-14, 20:60].mean() for frame in frames]
    assert np.allclose(brightness, [0, 60, 120, 180], atol=8)


@pytest.mark.parametrize(('number', 'text'), [(3, 'more frames than'), (5, '4 frames, and 5')])
def test_one_label_map_for_each_frame(inferencer, clip, tmp_path, number, text):
    for path in (tmp_path / 'labels').iterdir():
        path.unlink()
    for index in range(number):
        cv2.imwrite(str(tmp_path / 'labels' / f'{index}.png'), label_map())
    with pytest.raises(ValueError, match=text):
        inferencer(clip, tmp_path / 'labels', out_dir=tmp_path / 'out', img_out_dir='x.mp4')
    assert not list((tmp_path / 'out').glob('*.mp4')), 'no half video is left'


def test_image_sequence_to_video(inferencer, folders):
    images, labels, out = folders
    inferencer(images, labels, out_dir=out, img_out_dir='v.mp4', pred_out_dir='', fps=5, width=300)
    frames, fps = read_video(out / 'v.mp4')
    assert (len(frames), fps) == (3, 5)


def test_built_by_name_of_a_config_with_options(monkeypatch):
    refiner = SegFixRefiner(small_segfix(), device='cpu')
    seen = []
    monkeypatch.setattr(
        mmrefine.apis.inferencer, 'build_refiner', lambda *a, **o: seen.append((a, o)) or refiner
    )
    inferencer = RefinementInferencer('segfix', 'w.pth', 'cpu', show_progress=False, scale=1)
    assert seen == [(('segfix', 'w.pth', 'cpu'), {'scale': 1})]
    refined = inferencer(picture(), label_map())['predictions']
    assert np.array_equal(refined, refiner.refine(picture(), label_map()))


def test_progress_is_shown_where_wanted(capsys, monkeypatch):
    RefinementInferencer(RollingRefiner())(picture(), label_map())
    assert capsys.readouterr() == ('', ''), 'no terminal'
    monkeypatch.setenv('FORCE_COLOR', '1')  # what rich takes for a terminal
    RefinementInferencer(RollingRefiner())(picture(), label_map())
    assert 'Refining' in capsys.readouterr().err
    RefinementInferencer(RollingRefiner(), show_progress=False)(picture(), label_map())
    assert capsys.readouterr() == ('', '')


def test_show_says_where_no_window_can_be_opened(inferencer, monkeypatch):
    monkeypatch.setattr('matplotlib.get_backend', lambda: 'agg')
    with pytest.raises(ValueError, match='show: no window can be opened here'):
        inferencer(picture(), label_map(), show=True)


def test_show_hands_pictures_to_the_visualizer(inferencer, monkeypatch):
    monkeypatch.setattr('matplotlib.get_backend', lambda: 'qtagg')
    shown = []
    monkeypatch.setattr(
        'mmengine.visualization.Visualizer.show', lambda self, *args: shown.append(args)
    )
    inferencer(picture(), label_map(), show=True, wait_time=2)
    ((image, name, seconds),) = shown
    assert image.shape[1] == 1000
    assert (name, seconds) == ('00000000', 2)


def test_what_does_not_fit_is_refused(inferencer, folders, tmp_path):
    images, labels, out = folders
    with pytest.raises(ValueError, match='masks: expected a list of 2, one an image, got 1'):
        inferencer([picture(), picture()], [label_map()])
    with pytest.raises(ValueError, match=r'ground_truth: expected a list of 1.*got ndarray'):
        inferencer([picture()], [label_map()], label_map())
    with pytest.raises(ValueError, match='00000001: masks: size 40x59'):
        inferencer([picture(), picture()], [label_map(), label_map()[:, 1:]])
    with pytest.raises(TypeError, match=r'00000000: predictions: expected .* got dict'):
        inferencer(picture(), {})
    with pytest.raises(ValueError, match='batch_size: expected 1 or more, got 0'):
        inferencer(picture(), label_map(), batch_size=0)
    with pytest.raises(ValueError, match='masks: expected a folder of label maps, got ndarray'):
        inferencer(images, label_map())
    with pytest.raises(ValueError, match='expected a folder outside of'):
        inferencer(images, labels, out_dir=labels / 'x')
    (labels / 'b.png').unlink()
    with pytest.raises(ValueError, match=r'1 file without a counterpart\s+.*b\.jpg: its counter'):
        inferencer(images, labels)
    with pytest.raises(ValueError, match=r'expected a video \.mp4'):
        inferencer(picture(), label_map(), out_dir=out, img_out_dir='x.avi')
    with pytest.raises(ValueError, match='no such video'):
        inferencer(tmp_path / 'none.mp4', labels)
    with pytest.raises(ValueError, match='a refiner is built already'):
        RefinementInferencer(RollingRefiner(), device='cpu')


def test_an_input_is_never_overwritten(inferencer, tmp_path):
    cv2.imwrite(str(tmp_path / 'x.jpg'), picture())
    (tmp_path / 'pred').mkdir()
    cv2.imwrite(str(tmp_path / 'pred' / 'x.png'), label_map())
    with pytest.raises(ValueError, match='is an input, which would be overwritten'):
        inferencer(tmp_path / 'x.jpg', tmp_path / 'pred' / 'x.png', out_dir=tmp_path)
    assert np.array_equal(cv2.imread(str(tmp_path / 'pred' / 'x.png'), -1), label_map())


@pytest.mark.parametrize('fps', [0, -1])
def test_no_frames_a_second_are_refused(fps, tmp_path):
    """Zero is a number that was given, not one that was left out."""
    inferencer = RefinementInferencer(RollingRefiner(), show_progress=False)
    with pytest.raises(ValueError, match=f'fps: expected more than 0, got {fps}'):
        inferencer(picture(), label_map(), out_dir=tmp_path, img_out_dir='v.mp4', fps=fps)
