"""``tools/evaluate.py``: what it prints and writes, and one clear line on bad input."""

import json

import cv2
import numpy as np
import pytest
from label_drawing import random_labels
from PIL import Image

from mmrefine.cli import build_parser
from mmrefine.cli.evaluate_options import named_predictions

SIZE = (36, 50)
REPORT = ['report.csv', 'report.html', 'report.json']


def save(path, labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels).save(path)


@pytest.fixture
def folder(tmp_path):
    """Return a folder of 3 images: ``gt``, ``before``, ``after``, ``img`` and ``classes.json``."""
    for index, name in enumerate(['a', 'b', 'x/c']):
        target = random_labels(index, *SIZE, count=3)
        save(tmp_path / 'gt' / f'{name}.png', target)
        for kind, shift in (('before', 3), ('after', 1)):
            save(
                tmp_path / kind / f'{name}.png', np.roll(np.where(target == 255, 0, target), shift)
            )
        image = np.repeat(target[..., None], 3, axis=2)
        (tmp_path / 'img' / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / 'img' / f'{name}.jpg'), image)
    (tmp_path / 'classes.json').write_text('["road", "sky", "car"]')
    return tmp_path


@pytest.fixture
def evaluate(run_tool, folder):
    """Run the tool on label maps of ``folder``, with one process."""

    def run(*args, classes=('--classes', folder / 'classes.json')):
        return run_tool(
            'evaluate.py', *args, *classes, '--out', folder / 'report', '--workers', '1'
        )

    return run


@pytest.mark.quick
def test_table_and_report(evaluate, folder):
    outcome = evaluate(
        '--before', folder / 'before', '--after', folder / 'after', folder / 'gt',
        '--images', folder / 'img',
    )  # fmt: skip
    assert (outcome.status, outcome.err) == (0, '')
    assert sorted(p.name for p in (folder / 'report').iterdir()) == REPORT
    content = json.loads((folder / 'report' / 'report.json').read_text())
    names = ['a', 'b', 'x/c']
    wrong = {}
    for kind in ('before', 'after'):
        read = [
            [np.asarray(Image.open(folder / k / f'{n}.png')) for k in (kind, 'gt')] for n in names
        ]
        wrong[kind] = [int(np.count_nonzero((p != t) & (t != 255))) for p, t in read]
    for index, entry in enumerate(content['per_image']):
        assert entry['image'] == names[index]
        assert entry['wrong'] == {kind: counts[index] for kind, counts in wrong.items()}
    assert content['gains']['after']['miou'] > 0
    line = next(line for line in outcome.out.splitlines() if 'Pixel accuracy' in line)
    pixels = sum(entry['pixels'] for entry in content['per_image'])
    for kind in wrong:
        assert f'{100 * (1 - sum(wrong[kind]) / pixels):.2f}' in line
    page = (folder / 'report' / 'report.html').read_text()
    assert page.count('data:image/jpeg') == 3 * len(names)
    assert 'None.' in page, 'no image is harmed'


def test_two_processes_write_the_same_report(run_tool, evaluate, folder):
    arguments = [folder / 'before', folder / 'gt', '--after', folder / 'after']
    assert evaluate(*arguments).status == 0
    reports = [(folder / 'report' / name).read_text() for name in REPORT]
    outcome = run_tool(
        'evaluate.py', *arguments, '--classes', folder / 'classes.json', '--workers', '2',
        '--out', folder / 'other',
    )  # fmt: skip
    assert outcome.status == 0
    assert [(folder / 'other' / name).read_text() for name in REPORT] == reports


def test_report_of_a_known_dataset_is_replaced(evaluate, folder):
    (folder / 'report').mkdir()
    (folder / 'report' / 'report.json').write_text('old')
    (folder / 'report' / 'mine.txt').write_text('kept')
    outcome = evaluate(
        folder / 'after', folder / 'gt', '--tolerances', '2', '0.1', '--pictures', '0',
        classes=('--dataset', 'cityscapes'),
    )  # fmt: skip
    assert outcome.status == 0
    assert sorted(p.name for p in (folder / 'report').iterdir()) == ['mine.txt', *REPORT]
    content = json.loads((folder / 'report' / 'report.json').read_text())
    assert list(content['figures']) == ['prediction']
    assert {'fscore_2px', 'fscore_0.1'} <= set(content['figures']['prediction'])
    assert content['settings']['dilation_ratio'] == 0.005
    assert 'road' in content['per_class']['prediction']['miou']
    assert 'data:image/png' not in (folder / 'report' / 'report.html').read_text()


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        (['p', 'g'], [('prediction', 'p')]),
        (['p', 'g', '--after', 'r'], [('before', 'p'), ('after', 'r')]),
        (['g', '--before', 'p', '--after', 'r'], [('before', 'p'), ('after', 'r')]),
        (['--before', 'p', '--after', 'r', 'g'], [('before', 'p'), ('after', 'r')]),
        (['p', 'g', '--before', 'p', '--after', 'r'], [('before', 'p'), ('after', 'r')]),
        (
            ['o', 'g', '--before', 'p', '--after', 'r'],
            [('before', 'p'), ('prediction', 'o'), ('after', 'r')],
        ),
        (
            ['g', '--after', 'r', '--prediction', 'x=a=b', '--prediction', 'y=c', '--before', 'p'],
            [('before', 'p'), ('x', 'a=b'), ('y', 'c'), ('after', 'r')],
        ),
    ],
)
def test_names_of_predictions(arguments, expected):
    words = ['evaluate', 'label-maps', *arguments, '--dataset', 'camvid']
    args = build_parser().parse_args(words)
    assert list(named_predictions(args).items()) == expected


@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (['a', 'b', 'c', '--dataset', 'x'], 'expected PRED and GT, or GT alone, got a b c'),
        (['a', '--dataset', 'x'], 'expected PRED and GT; or GT, and predictions by --before'),
        (['a', 'b.json', '--dataset', 'x'], 'coco: error: unrecognized arguments: --dataset x'),
        (['a', 'b.json', '--void-boundary'], 'unrecognized arguments: --void-boundary'),
        (['a', 'b', '--dataset', 'x', '--prediction', 'c'], "expected NAME=PATH, got 'c'"),
        (['a', 'b', '--dataset', 'x', '--workers', '0'], 'expected 1 or more, got 0'),
        (['a', 'b', '--dataset', 'x', '--pictures', '-1'], '--pictures: expected 0 or more'),
        (['a', 'b', '--dataset', 'x', '--image-suffix', 's'], 'no effect without --images'),
    ],
)
def test_options_that_do_not_go_together(run_tool, arguments, text):
    outcome = run_tool('evaluate.py', *arguments)
    assert outcome.status == 2
    assert text in outcome.err.splitlines()[-1]


def fails(outcome, folder) -> str:
    """The one line on stderr of a run that wrote nothing."""
    assert outcome.status == 1
    assert not (folder / 'report').exists()
    (line,) = outcome.err.splitlines()
    assert line.startswith('evaluate.py: error: ')
    return line


@pytest.mark.quick
def test_all_files_without_a_counterpart_are_listed(evaluate, folder):
    (folder / 'before' / 'a.png').unlink()
    (folder / 'after' / 'a.png').unlink()
    (folder / 'after' / 'x' / 'c.png').unlink()
    save(folder / 'after' / 'more.png', random_labels(0, *SIZE))
    outcome = evaluate(folder / 'before', folder / 'gt', '--after', folder / 'after')
    assert outcome.status == 1
    assert not (folder / 'report').exists()
    first, *lines = outcome.err.splitlines()
    assert first == 'evaluate.py: error: 4 files without a counterpart'
    assert [line.strip().split(': ')[:2] for line in lines] == [
        [f'{folder}/gt/a.png', f'its counterpart in {folder}/before'],
        [f'{folder}/gt/a.png', f'its counterpart in {folder}/after'],
        [f'{folder}/gt/x/c.png', f'its counterpart in {folder}/after'],
        [f'{folder}/after/more.png', f'no ground truth of that name in {folder}/gt'],
    ]


@pytest.mark.quick
def test_sizes_that_differ_name_both_files(evaluate, folder):
    save(folder / 'after' / 'b.png', np.zeros((SIZE[0], SIZE[1] - 1), np.uint8))
    line = fails(evaluate(folder / 'after', folder / 'gt'), folder)
    assert (
        f'{folder}/after/b.png: expected the size of {folder}/gt/b.png, 36x50 (height x width), '
        'got 36x49' in line
    )


def cut(path):
    path.write_bytes(path.read_bytes()[:70])


def coloured(path):
    save(path, np.zeros((*SIZE, 3), np.uint8))


def no_class(path):
    save(path, np.full(SIZE, 3, np.uint8))


def no_labels(path):
    path.unlink()
    np.save(path.with_suffix('.npy'), np.zeros(SIZE))


@pytest.mark.quick
@pytest.mark.parametrize('kind', ['gt', 'after'])
@pytest.mark.parametrize(
    ('spoil', 'text'),
    [
        (cut, '/b.png: expected a PNG, the file is broken or cut off'),
        (lambda path: path.write_bytes(b''), '/b.png: the file is empty'),
        (coloured, '/b.png: the colour (0, 0, 0) is of no class; expected those of the palette'),
        (no_class, '/b.png: expected labels 0 to 2 or ignored, got 3; if 0 stands for ignored'),
        (no_labels, '/b.npy: expected integers of at most 63 bits, got float64'),
    ],
)
def test_bad_label_maps_are_named(evaluate, folder, kind, spoil, text):
    spoil(folder / kind / 'b.png')
    assert f'{folder}/{kind}{text}' in fails(evaluate(folder / 'after', folder / 'gt'), folder)


@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (['{}/none', '{}/gt'], '{}/none: no such file or folder'),
        (['{}/img', '{}/gt'], '{}/img: found no file whose name ends with one of .png, .npy'),
        (['{}/gt', '--prediction', 'a=x', '--prediction', 'a=y'], 'every name once, got more of a'),
        (['{}/after', '{}/gt', '--tolerances', '-1'], 'tolerance: must be pixels'),
        (['{}/after', '{}/gt', '--dilation-ratio', '-1'], 'dilation_ratio: expected between'),
        (['{}/after', '{}/gt', '--dilation-ratio', '0'], 'dilation_ratio: expected between'),
        (['{}/after', '{}/gt', '--images', '{}/gt/x'], '2 files without a counterpart'),
    ],
)
def test_other_bad_input(evaluate, folder, arguments, text):
    outcome = evaluate(*(argument.format(folder) for argument in arguments))
    assert outcome.status == 1
    assert text.format(folder) in outcome.err.splitlines()[0]
    assert not (folder / 'report').exists()


def test_unknown_dataset_and_bad_class_file(evaluate, folder):
    pair = folder / 'after', folder / 'gt'
    line = fails(evaluate(*pair, classes=('--dataset', 'citiscapes')), folder)
    assert 'dataset: expected one of ade, ade20k, bdd100k, camvid, cityscapes' in line
    (folder / 'classes.json').write_text('{')
    line = fails(evaluate(*pair), folder)
    assert f'{folder}/classes.json: expected JSON' in line


def test_out_that_is_a_file(evaluate, folder):
    (folder / 'report').write_text('mine')
    outcome = evaluate(folder / 'after', folder / 'gt')
    assert outcome.status == 1
    assert f'{folder}/report: expected a folder for the report, it is a file' in outcome.err
    assert (folder / 'report').read_text() == 'mine'


def test_a_photograph_of_another_size_costs_the_pictures_only(evaluate, folder):
    cv2.imwrite(str(folder / 'img' / 'b.jpg'), np.zeros((9, 9, 3), np.uint8))
    outcome = evaluate(folder / 'after', folder / 'gt', '--images', folder / 'img')
    assert outcome.status == 1
    (line,) = outcome.err.splitlines()
    assert f'{folder}/img/b.jpg: expected the size 36x50' in line
    assert 'the report has no pictures' in line
    assert sorted(p.name for p in (folder / 'report').iterdir()) == REPORT


def test_classes_with_a_palette(evaluate, folder):
    """Predictions in colours get the figures of the same in numbers."""
    pair = folder / 'after', folder / 'gt'
    plain = evaluate(*pair)
    assert plain.status == 0
    palette = np.array([[10, 20, 30], [200, 0, 0], [0, 0, 255]], np.uint8)
    names = ['road', 'sky', 'car']
    (folder / 'classes.json').write_text(json.dumps(dict(classes=names, palette=palette.tolist())))
    for path in (folder / 'after').glob('**/*.png'):
        save(path, palette[np.asarray(Image.open(path))])
    coloured = evaluate(*pair)
    assert (coloured.status, coloured.err) == (0, '')
    assert coloured.out == plain.out
    numbered = evaluate(*pair, classes=())
    assert numbered.status == 1
    assert 'colours stand for classes only with --classes or --dataset' in numbered.err


def test_masks_of_0_and_255_against_classes(evaluate, folder):
    for path in (folder / 'after').glob('**/*.png'):
        save(path, np.where(np.asarray(Image.open(path)) == 1, 255, 0).astype(np.uint8))
    for classes in (('--classes', folder / 'classes.json'), ()):
        line = fails(evaluate(folder / 'after', folder / 'gt', classes=classes), folder)
        assert f'{folder}/after: all label maps hold only 0 and 255, while {folder}/gt' in line
        assert 'holds 0, 1, 2, 255; expected classes 0 to 2, 255 is none' in line


@pytest.fixture
def coco(tmp_path):
    """Return a folder with COCO annotations and results of two images, two instances in each."""
    from mmrefine.ops.run_lengths import encode_mask

    annotations, results = [], []
    for number in range(4):
        mask = np.zeros(SIZE, bool)
        mask[5:25, 5 + 4 * number : 30] = True
        place = dict(image_id=1 + number // 2, category_id=3)
        box = dict(bbox=[0, 0, 1, 1], area=int(mask.sum()))
        annotations.append(dict(place, id=number, iscrowd=0, segmentation=encode_mask(mask), **box))
        results.append(dict(place, score=0.5, segmentation=encode_mask(np.roll(mask, 1, 0))))
    content = dict(
        images=[dict(id=i, height=SIZE[0], width=SIZE[1], file_name=f'{i}.jpg') for i in (1, 2)],
        annotations=annotations,
        categories=[dict(id=3, name='cell')],
    )
    (tmp_path / 'gt.json').write_text(json.dumps(content))
    (tmp_path / 'results.json').write_text(json.dumps(results))
    return tmp_path


def test_report_of_results(run_tool, coco):
    pair = coco / 'results.json', coco / 'gt.json'
    outcome = run_tool('evaluate.py', *pair, '--out', coco / 'report', '--workers', '1')
    assert (outcome.status, outcome.err) == (0, '')
    assert 'Boundary AP at IoU 0.75' in outcome.out
    assert 'of the 4 that every prediction finds' in ' '.join(outcome.out.split())
    content = json.loads((coco / 'report' / 'report.json').read_text())
    assert content['figures']['prediction']['ap50'] == pytest.approx(100)
    assert content['per_class']['prediction']['af'].keys() == {'cell'}
    # One row too many at one end, one too few at the other, of two boxes.
    assert [entry['wrong']['prediction'] for entry in content['per_image']] == [50, 34]


def change(path, place, **values):
    content = json.loads(path.read_text())
    for key, value in values.items():
        if value is None:
            del content[place][key]
        else:
            content[place][key] = value
    path.write_text(json.dumps(content))


@pytest.mark.quick
@pytest.mark.parametrize(
    ('values', 'text'),
    [
        (dict(image_id=77), 'results: image_id 77 not in the annotations, which have 1, 2'),
        (dict(category_id=5), 'results: category_id 5 not in the annotations, which have 3'),
        (dict(score=None), "results: entries 2 have no 'score'"),
        (dict(segmentation=None), 'there is no segmentation'),
        (dict(segmentation=dict(size=[50, 36], counts='a')), 'entry 2, a mask on 2.jpg: size'),
        (dict(segmentation=dict(size=[36, 50], counts='a1')), 'its compressed runs are broken'),
    ],
)
def test_bad_results_are_named(run_tool, coco, values, text):
    change(coco / 'results.json', 2, **values)
    pair = coco / 'results.json', coco / 'gt.json'
    outcome = run_tool('evaluate.py', *pair, '--out', coco / 'report', '--workers', '1')
    line = fails(outcome, coco)
    assert f'{coco}/results.json: ' in line
    assert text in line


@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (['gt.json', 'results.json'], 'results.json: expected COCO annotations, .* swapped?'),
        (['none.json', 'gt.json'], 'none.json: no such file or folder'),
        (['results.json', 'none.json'], 'none.json: no such file or folder'),
        (['cut.json', 'gt.json'], 'cut.json: expected JSON, the file is broken or cut off'),
        (['results.json', 'cut.json'], 'cut.json'),
        (
            ['results.json', 'empty.json'],
            "empty.json: expected COCO annotations of masks, 'images'",
        ),
    ],
)
def test_bad_annotations_are_named(run_tool, coco, arguments, text):
    (coco / 'cut.json').write_text((coco / 'gt.json').read_text()[:99])
    (coco / 'empty.json').write_text('{}')
    files = [coco / name for name in arguments]
    line = fails(run_tool('evaluate.py', *files, '--out', coco / 'report'), coco)
    assert all(part in line for part in text.split('.*'))


def test_help_has_examples(run_tool):
    outcome = run_tool('evaluate.py', '--help')
    assert outcome.status == 0
    assert 'examples:' in outcome.out
