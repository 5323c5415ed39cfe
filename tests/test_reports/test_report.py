"""Reports: three files that say the same, plots, and pictures of the right pixels."""

import base64
import csv
import dataclasses
import io
import json
import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from mmrefine.pictures.drawing import INK
from mmrefine.reports.evaluation import WIDTHS, Bands, Evaluation, measure
from mmrefine.reports.gallery import (
    BROKEN,
    FIXED,
    Photographs,
    draw_change,
    draw_labels,
    galleries,
    pictures_of_all,
)
from mmrefine.reports.plots import error_plot, legend, trimap_plot
from mmrefine.reports.report import (
    report_csv,
    report_html,
    report_json,
    text_cell,
    write_report,
)
from mmrefine.reports.scores import Scene, score_of

PALETTE = np.array([(128, 64, 128), (0, 130, 180)], np.uint8)
SIZE = (40, 260)


class DrawnTask:
    """An image whose second prediction fixes a block of pixels and breaks another."""

    def __init__(self, name, fixed=0, broken=0):
        self.name = self.image_name = name
        self.sides = fixed, broken

    def scene(self):
        fixed, broken = self.sides
        target = np.zeros(SIZE, np.int64)
        target[:, 130:] = 1
        before, after = target.copy(), target.copy()
        before[5 : 5 + fixed, 10 : 10 + fixed] = 1
        after[5 : 5 + broken, 230 : 230 + broken] = 0
        predictions = [before, after]
        wrong = np.stack([labels != target for labels in predictions])
        return Scene(target, predictions, wrong, np.ones(SIZE, bool), PALETTE)

    def count(self):
        raise NotImplementedError


def make(names=('before', 'after'), tasks=()):
    number, rng = len(names), np.random.default_rng(0)
    curve = np.sort(rng.random((number, len(WIDTHS))))
    wrong = rng.integers(0, 90, (number, len(WIDTHS) + 1))
    by_class = rng.random((number, 2))
    by_class[0, 1] = math.nan
    scores = [score_of(t.name, t.scene(), SIZE[0] * SIZE[1]) for t in tasks]
    if number == 1:
        scores = [s.__class__(s.name, s.pixels, s.wrong[:1], (0,), (0,)) for s in scores]
    return Evaluation(
        kind='label maps',
        subject=f'{len(tasks)} label maps',
        predictions={name: f'folder of {name}' for name in names},
        ground_truth='truth',
        classes=['road', 'sky & <i>sea</i>'],
        palette=[(128, 64, 128), (70, 130, 180)],
        measures=[
            measure('miou', 'mIoU', np.linspace(0.5, 0.25, number), by_class),
            measure('mba', 'Mean boundary accuracy', [math.nan] * number),
        ],
        bands=Bands(np.array(WIDTHS), curve, curve, wrong, wrong.sum(0)),
        scores=scores,
        tasks=list(tasks),
        settings={'tolerances': [1, 2]},
        remarks=['What was counted.'],
    )


class Page(HTMLParser):
    """Tags, text and sources of a page."""

    def __init__(self, text):
        super().__init__()
        self.sources, self.text, self.open, self.links = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.sources += [values['src']] if 'src' in values else []
        self.links += [values['href']] if 'href' in values else []
        if tag not in ('img', 'meta', 'input'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_json_and_csv_say_what_was_found():
    evaluation = make()
    content = json.loads(report_json(evaluation))
    miou = evaluation.measures[0]
    assert content['figures'] == {
        'before': {'miou': 50, 'mba': None},
        'after': {'miou': 25, 'mba': None},
    }
    assert content['gains'] == {'after': {'miou': -25, 'mba': None}}
    assert content['compared_with'] == 'before'
    assert content['per_class']['after']['miou']['road'] == miou.by_class[1, 0]
    assert content['per_class']['before']['miou']['sky & <i>sea</i>'] is None
    assert content['trimap']['widths'] == list(range(1, 41))
    assert content['errors_by_distance']['wrong']['after'] == evaluation.bands.wrong[1].tolist()
    rows = list(csv.reader(io.StringIO(report_csv(evaluation))))
    assert rows[0] == ['measure', 'class', 'before', 'after', 'gain after']
    assert rows[1] == ['miou', '', '50.0000', '25.0000', '-25.0000']
    assert rows[3][:3] == ['miou', 'sky & <i>sea</i>', '']
    assert rows[4] == ['mba', '', '', '', '']
    assert len(rows) == 5


@pytest.mark.parametrize('name', ['=1+1', '+x', '-x', '@x', 'x', ''])
def test_no_cell_is_a_formula(name):
    assert text_cell(name) == (f"'{name}" if name[:1] in ('=', '+', '-', '@') and name else name)
    evaluation = dataclasses.replace(make(), classes=['road', f'{name}.'])
    assert '\n=' not in report_csv(evaluation).replace(',', '\n')


def test_page_needs_no_other_file_and_escapes_names():
    tasks = [DrawnTask('a.png', 6, 3)]
    evaluation = make(('be<b>fore', 'after'), tasks)
    text = report_html(evaluation, galleries(evaluation, Photographs(None, []), 3))
    page = Page(text)
    assert page.open == []
    assert page.links == []
    assert len(page.sources) == 2 + 3
    assert all(source.startswith('data:image/') for source in page.sources)
    assert not re.search(r'https?://|<link|@import|url\(', text)
    words = ' '.join(page.text)
    for expected in ('be<b>fore', 'sky & <i>sea</i>', '−25.00', 'What was counted.', 'truth'):
        assert expected in words
    assert 'nan' not in words


@pytest.mark.parametrize('number', [1, 2, 9])
def test_page_of_any_number_of_predictions(number):
    page = Page(report_html(make([f'p{i}' for i in range(number)])))
    assert page.open == []
    assert page.text.count('gain') == 2 * (number - 1)


def test_plots_are_svg_and_the_same_each_time():
    bands = make([f'p{i}' for i in range(9)]).bands
    for plot in (error_plot, trimap_plot):
        content = plot(bands)
        assert ElementTree.fromstring(content).tag == '{http://www.w3.org/2000/svg}svg'
        assert content == plot(bands)
    lines = [line[1:] for line in legend([f'p{i}' for i in range(20)])]
    assert len(set(lines)) == 20, 'every prediction can be told from the others'


def test_all_files_are_written_and_none_is_left_half(tmp_path):
    paths = write_report(tmp_path / 'new' / 'folder', make())
    assert sorted(p.name for p in (tmp_path / 'new' / 'folder').iterdir()) == [
        'report.csv',
        'report.html',
        'report.json',
    ]
    assert all(path.stat().st_size for path in paths)


def test_the_most_improved_and_the_most_harmed_images_are_shown():
    blocks = {'a': (9, 2), 'b': (2, 9), 'c': (0, 0), 'd': (5, 4), 'e': (12, 0), 'f': (0, 3)}
    evaluation = make(tasks=[DrawnTask(name, *sides) for name, sides in blocks.items()])
    better, worse = galleries(evaluation, Photographs(None, []), 2)
    assert [picture.title for picture in better.pictures] == ['e', 'a']
    assert [picture.title for picture in worse.pictures] == ['b', 'f']
    assert better.heading == 'Most improved: before → after'
    assert list(better.pictures[0].panels) == ['before', 'after', 'before → after']
    assert better.pictures[1].caption == (
        '81 px (0.78 %) fixed, 4 px (0.04 %) broken; 200×40 of 260×40, from x 0, y 0'
    )
    assert worse.pictures[0].caption.endswith('200×40 of 260×40, from x 39, y 0')


def test_pictures_of_a_single_prediction_show_the_most_wrong_pixels():
    tasks = [DrawnTask('a', 3), DrawnTask('b', 8)]
    (gallery,) = galleries(make(('only',), tasks), Photographs(None, []), 1)
    assert [picture.title for picture in gallery.pictures] == ['b']
    assert list(gallery.pictures[0].panels) == ['ground truth', 'only', 'wrong pixels']


def decode(uri):
    content = np.frombuffer(base64.b64decode(uri.split(',')[1]), np.uint8)
    return cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1]


def test_pictures_mark_exactly_what_changed():
    evaluation = make(tasks=[DrawnTask('a', 7, 0)])
    (gallery, _) = galleries(evaluation, Photographs(None, []), 1)
    before, after, change = map(decode, gallery.pictures[0].panels.values())
    times = 3  # 200 pixels shown as 600
    assert before.shape == after.shape == change.shape == (40 * times, 200 * times, 3)
    marked = np.zeros(SIZE, bool)
    marked[5:12, 10:17] = True
    large = np.kron(marked[:, :200], np.ones((times, times))) > 0
    assert ((change == FIXED).all(-1) == large).all()
    assert not (change == BROKEN).all(-1).any()
    assert (before[large] == PALETTE[1]).all()
    assert (after[large] == PALETTE[0]).all()
    # The line of the true boundary, between columns 129 and 130.
    line = (change == INK).all(-1).sum(0).nonzero()[0]
    assert line.tolist() == [130 * times - 1, 130 * times]


def test_broken_pixels_have_the_other_colour():
    scene = DrawnTask('a', 4, 6).scene()
    wrong = scene.wrong
    part = slice(0, 40), slice(100, 260)
    canvas = draw_change(scene, part, wrong[0] & ~wrong[1], wrong[1] & ~wrong[0], None)
    times = canvas.shape[1] // 160
    assert (canvas == BROKEN).all(-1).sum() == 36 * times**2
    assert (canvas == FIXED).all(-1).sum() == 0


def test_pixels_of_no_class_are_white():
    labels = np.array([[0, 1, 255, -1]])
    canvas = draw_labels(labels, PALETTE, None)
    times = canvas.shape[1] // 4
    found = canvas[0, times // 2 :: times].tolist()
    assert found == [*PALETTE.tolist(), [255] * 3, [255] * 3]


def test_photographs_carry_contours_and_nothing_else():
    labels = np.zeros((4, 6), int)
    photograph = np.full((4, 6, 3), 200, np.uint8)
    assert (draw_labels(labels, PALETTE, photograph) == 200).all()
    labels[:, 3:] = 1
    canvas = draw_labels(labels, PALETTE, photograph, (10, 20, 30))
    middle = canvas.shape[1] // 2
    assert np.abs(canvas[:, middle].astype(int) - (10, 20, 30)).max() <= 2
    assert (canvas[:, : middle - 9] == 200).all()


def images_of(text):
    """What the table of all images is made from."""
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1])


def test_table_of_all_images():
    tasks = [DrawnTask('a', 9, 2), DrawnTask('</script><b>', 1, 5)]
    evaluation = make(tasks=tasks)
    scores = [score_of(t.name, t.scene(), SIZE[0] * SIZE[1], 2) for t in tasks]
    evaluation = dataclasses.replace(evaluation, scores=scores)
    content = images_of(
        report_html(evaluation, (), pictures_of_all(evaluation, Photographs(None, [])))
    )
    assert content['names'] == ['before', 'after']
    first, second = content['images']
    assert second['name'] == '</script><b>'
    assert first['counts'] == [10400, 81, 4, 0, 81, 0, 4]
    # Wrong pixels of 'before' are truly class 0, those of 'after' class 1.
    assert first['classes'] == {'0': [5200, 81, 0, 0, 81, 0, 0], '1': [5200, 0, 4, 0, 0, 0, 4]}
    assert [name for name, _ in first['picture']['panels']] == ['before', 'after', 'before → after']


def test_pictures_of_all_images_are_bounded_and_the_most_changed_come_first():
    tasks = [DrawnTask('little', 1), DrawnTask('much', 12, 12), DrawnTask('some', 6)]
    evaluation = make(tasks=tasks)
    every = pictures_of_all(evaluation, Photographs(None, []))
    assert list(every) == [1, 2, 0]
    assert every == pictures_of_all(evaluation, Photographs(None, []), workers=2)
    size = sum(map(len, every[1].panels.values()))
    some = pictures_of_all(evaluation, Photographs(None, []), most_bytes=size)
    assert list(some) == [1]
    text = report_html(evaluation, (), some)
    assert 'The 2 images that changed least have no picture here' in text


def test_photographs_are_found_by_name_or_all_missing_ones_listed(tmp_path):
    folder = tmp_path / 'img'
    (folder / 'x').mkdir(parents=True)
    for name in ('a.jpg', 'x/b_left.png'):
        cv2.imwrite(str(folder / name), np.zeros((4, 6, 3), np.uint8))
    assert Photographs(folder, ['a']).read(DrawnTask('a'), (4, 6)).shape == (4, 6, 3)
    assert Photographs(folder, ['a.jpg']).read(DrawnTask('a.jpg'), (4, 6)).shape == (4, 6, 3)
    found = Photographs(folder, ['x/b'], '_left')
    with pytest.raises(ValueError, match=r'x/b_left.png: expected the size 5x6 .* labels x/b, got'):
        found.read(DrawnTask('x/b'), (5, 6))
    with pytest.raises(ValueError, match='2 files without a counterpart') as raised:
        Photographs(folder, ['a', 'c', 'x/d'])
    lines = str(raised.value).splitlines()
    assert lines[1].startswith('  c: its photograph in ')
    assert lines[2].startswith('  x/d: its photograph in ')
