"""Evaluating label maps: against the measures called by hand, and plain counting."""

import numpy as np
import pytest
from PIL import Image

from mmrefine.measures import boundary_fscore, total, trimap_iou
from mmrefine.reports.classes import class_list
from mmrefine.reports.evaluation import WIDTHS
from mmrefine.reports.label_map_rules import LabelMapRules
from mmrefine.reports.label_maps import (
    ComparedLabelMaps,
    compared_label_maps,
    evaluate_label_maps,
)
from mmrefine.reports.scores import Scene, score_of

CLASSES = class_list(['sky', 'road', 'car'])
SIZE = (30, 44)


def drawn(seed, size_hw=SIZE):
    """Ground truth of three classes with an ignored strip, and a worse and a better prediction."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    target = (rows + rng.integers(-2, 3) > 12).astype(np.uint8)
    target[(rows > 8) & (rows < 20) & (abs(columns - 20 - seed) < 7)] = 2
    before, after = np.roll(target, 3, 1), np.roll(target, 1, 1)
    target[-2:] = 255
    return target, before, after


@pytest.fixture
def folders(tmp_path):
    """Return a folder with ``gt``, ``before`` and ``after``: 3 images, in subfolders, 2 sizes."""
    for index, name in enumerate(['a', 'x/b', 'x/c']):
        maps = drawn(index, (SIZE[0] + index, SIZE[1]))
        for kind, labels in zip(('gt', 'before', 'after'), maps, strict=True):
            path = tmp_path / kind / f'{name}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(labels).save(path)
    return tmp_path


def evaluate(folder, names=('before', 'after'), **rules):
    predictions = {name: folder / name for name in names}
    rules = LabelMapRules(CLASSES, **rules)
    tasks = compared_label_maps(predictions, folder / 'gt', rules)
    return evaluate_label_maps(predictions, folder / 'gt', rules, tasks)


def values(evaluation):
    return {m.key: m.values for m in evaluation.measures}


def test_label_maps_get_the_figures_of_the_measures(folders):
    evaluation = evaluate(folders, tolerances=(1, 0.05), average='present')
    found = values(evaluation)
    assert list(evaluation.predictions) == ['before', 'after']
    for p in (0, 1):
        pairs = [
            (maps[1 + p], maps[0]) for maps in (drawn(i, (SIZE[0] + i, SIZE[1])) for i in range(3))
        ]
        wrong = [np.count_nonzero((a != t) & (t != 255)) for a, t in pairs]
        pixels = sum(np.count_nonzero(t != 255) for _, t in pairs)
        assert [score.wrong[p] for score in evaluation.scores] == wrong
        assert found['accuracy'][p] == pytest.approx(100 * (1 - sum(wrong) / pixels))
        overlaps = []
        for c in range(3):
            both = sum(np.count_nonzero((a == c) & (t == c)) for a, t in pairs)
            either = sum(np.count_nonzero(((a == c) & (t != 255)) | (t == c)) for a, t in pairs)
            overlaps.append(100 * both / either)
        assert found['miou'][p] == pytest.approx(np.mean(overlaps))
        assert evaluation.measures[0].by_class[p] == pytest.approx(overlaps)
        fscore = total(boundary_fscore(a, t, 0.05, 3) for a, t in pairs).figures('present')
        assert found['fscore_0.05'][p] == pytest.approx(100 * fscore['fscore'])
        trimap = total(trimap_iou(a, t, WIDTHS, 3) for a, t in pairs)
        assert found['miou_inside_5px'][p] == 100 * trimap.figures()['miou_inside'][4]
        assert found['miou_outside_3px'][p] == 100 * trimap.figures()['miou_outside'][2]
        assert evaluation.bands.wrong[p].tolist() == trimap.wrong.tolist()
        assert evaluation.bands.wrong[p].sum() == sum(wrong)
    assert found['miou'][1] > found['miou'][0] + 5, 'the second prediction is far better'
    assert evaluation.measures[0].gains.tolist() == [0, found['miou'][1] - found['miou'][0]]


def test_scores_of_images():
    wrong = np.array([[[1, 1, 0, 0]], [[0, 1, 1, 1]]], bool)
    nothing = np.zeros((1, 4), int)
    scene = Scene(nothing, [nothing] * 2, wrong, np.ones((1, 4), bool), np.zeros((1, 3), np.uint8))
    score = score_of('a', scene, 4)
    assert (score.wrong, score.fixed, score.broken) == ((2, 3), (0, 1), (0, 2))
    assert score.gain(1) == -1 / 4


def test_reduced_zero_label(folders):
    """Files with labels one larger and 0 for ignored mean the same."""
    expected = values(evaluate(folders))
    for path in folders.rglob('*.png'):
        labels = np.asarray(Image.open(path))
        Image.fromarray(np.where(labels == 255, 0, labels + 1).astype(np.uint8)).save(path)
    with pytest.raises(ValueError, match=r'got 3; if 0 stands for ignored, use --reduce-zero'):
        evaluate(folders)
    found = values(evaluate(folders, reduce_zero_label='both'))
    assert {k: v.tolist() for k, v in found.items()} == {k: v.tolist() for k, v in expected.items()}
    for path in [*folders.glob('before/**/*.png'), *folders.glob('after/**/*.png')]:
        Image.fromarray(np.asarray(Image.open(path)) - np.uint8(1)).save(path)
    found = values(evaluate(folders, reduce_zero_label='ground-truth'))
    assert found['miou'].tolist() == expected['miou'].tolist()


def test_unpredicted_pixels_are_wrong_not_an_error(tmp_path):
    target = drawn(0)[0]
    prediction = target.copy()
    prediction[5] = 255
    Image.fromarray(target).save(tmp_path / 't.png')
    np.save(tmp_path / 'p.npy', prediction)
    rules = LabelMapRules(CLASSES)
    task = ComparedLabelMaps('t', tmp_path / 't.png', (tmp_path / 'p.npy',), rules)
    assert task.count().score.wrong == (SIZE[1],)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(tolerances=()), 'tolerances: expected at least one'),
        (dict(tolerances=(-1,)), 'tolerance: must be pixels'),
        (dict(dilation_ratio=0), 'dilation_ratio: expected between 0 and 1, got 0'),
        (dict(average='all'), "average: expected one of .*, got 'all'"),
        (dict(reduce_zero_label='yes'), "reduce_zero_label: expected .*, got 'yes'"),
    ],
)
def test_rules_are_checked(options, text):
    with pytest.raises(ValueError, match=text):
        LabelMapRules(CLASSES, **options)


def test_files_are_matched_by_name_without_their_ends(tmp_path):
    """Cityscapes: folders by city, each ground truth among others; predictions in one folder."""
    (tmp_path / 'gt' / 'ulm').mkdir(parents=True)
    (tmp_path / 'flat').mkdir()
    for end in ('gtFine_labelTrainIds', 'gtFine_color'):
        Image.fromarray(drawn(0)[0]).save(tmp_path / 'gt' / 'ulm' / f'ulm_01_{end}.png')
    Image.fromarray(drawn(0)[1]).save(tmp_path / 'flat' / 'ulm_01_leftImg8bit.png')
    ends = ('_leftImg8bit', '_gtFine_labelTrainIds')
    rules = LabelMapRules(CLASSES)
    (task,) = compared_label_maps({'a': tmp_path / 'flat'}, tmp_path / 'gt', rules, *ends)
    assert (task.name, task.predictions) == (
        'ulm/ulm_01',
        (tmp_path / 'flat' / 'ulm_01_leftImg8bit.png',),
    )


@pytest.mark.parametrize('kind', ['gt', 'after', 'both'])
@pytest.mark.parametrize('form', ['colours', 'palette', 'colours in a palette'])
def test_colours_are_classes(folders, kind, form):
    """Colours of the classes' palette, and indices with any palette, count as their numbers."""
    expected = values(evaluate(folders))
    own = np.array(CLASSES.palette, np.uint8)
    for folder in ('gt', 'after') if kind == 'both' else (kind,):
        for path in (folders / folder).glob('**/*.png'):
            labels = np.asarray(Image.open(path)).copy()
            if form != 'palette':  # colours cannot say "ignored"
                labels[labels == 255] = 1
                Image.fromarray(labels).save(path)
    if form != 'palette':
        expected = values(evaluate(folders))
    for folder in ('gt', 'after') if kind == 'both' else (kind,):
        for path in (folders / folder).glob('**/*.png'):
            labels = np.asarray(Image.open(path))
            if form == 'colours':
                Image.fromarray(own[labels]).save(path)
                continue
            image = Image.fromarray(labels)
            shown = own if form == 'colours in a palette' else own[::-1]
            image.putpalette([*shown.ravel().tolist(), *[9] * (768 - shown.size)])
            image.save(path)
            assert Image.open(path).mode == 'P'
    found = values(evaluate(folders))
    for key, figures in expected.items():
        np.testing.assert_array_equal(found[key], figures)


def test_a_colour_of_no_class_is_named(folders):
    path = folders / 'after' / 'a.png'
    colours = np.array(CLASSES.palette, np.uint8)[np.asarray(Image.open(path)) % 3]
    colours[4, 5] = (1, 2, 3)
    Image.fromarray(colours).save(path)
    with pytest.raises(ValueError, match=r'after/a\.png: the colour \(1, 2, 3\) is of no class'):
        evaluate(folders)
