"""The report's page in a browser: sorting, filters, drill-down, slider, theme."""

import dataclasses
import re

import numpy as np
import pytest
from chromium import needs_chromium, page_after

from mmrefine.reports.gallery import Photographs, galleries, pictures_of_all
from mmrefine.reports.report import report_html
from mmrefine.reports.scores import score_of

from .test_report import SIZE, DrawnTask, make

pytestmark = needs_chromium


@pytest.fixture
def run(tmp_path):
    """Write the page of three images, run a script in it, and give the page."""
    tasks = [DrawnTask('img10', 9, 2), DrawnTask('img9', 1, 5), DrawnTask('<b>x</b>', 4, 4)]
    evaluation = make(tasks=tasks)
    scores = [score_of(t.name, t.scene(), SIZE[0] * SIZE[1], 2) for t in tasks]
    # The second image has no pixel of class 1.
    without = scores[1].by_class * np.array([1, 0])
    scores[1] = dataclasses.replace(scores[1], by_class=without)
    evaluation = dataclasses.replace(evaluation, scores=scores)
    photographs = Photographs(None, [])
    path = tmp_path / 'report.html'
    pictures = pictures_of_all(evaluation, photographs)
    path.write_text(report_html(evaluation, galleries(evaluation, photographs, 1), pictures))
    return lambda script: page_after(path, script, tmp_path)


def names(page):
    """The images in the table, as they are shown from top to bottom."""
    table = page[page.index('<table id="images">') :]
    return re.findall(r'<td class="name"><button[^>]*>(.*?)</button>', table)


def test_images_are_sorted_by_gain_and_names_are_text(run):
    assert names(run('')) == ['img10', '&lt;b&gt;x&lt;/b&gt;', 'img9']


def test_headings_sort_and_numbers_in_names_count(run):
    page = run("document.querySelector('#images th button').click()")
    assert names(page) == ['&lt;b&gt;x&lt;/b&gt;', 'img9', 'img10']
    assert page.count('aria-sort="ascending"') == 1


def test_filter_by_class_and_by_name(run):
    page = run(
        "let c = document.getElementById('class'); c.value = '1';"
        "c.dispatchEvent(new Event('change'));"
    )
    assert sorted(names(page)) == ['&lt;b&gt;x&lt;/b&gt;', 'img10']
    assert '2 of 3 images' in page
    page = run(
        "let s = document.getElementById('search'); s.value = 'IMG9';"
        "s.dispatchEvent(new Event('input'));"
    )
    assert names(page) == ['img9']


def test_a_name_opens_its_picture_and_the_slider_moves(run):
    assert 'class="detail"' not in run('')
    page = run(
        "document.querySelector('#images td.name button').click();"
        "let r = document.querySelector('#images .slider input'); r.value = 80;"
        "r.dispatchEvent(new Event('input', {bubbles: true}));"
    )
    assert page.count('class="detail"') == 1
    assert '--at: 80%' in page
    assert '81 px (0.78 %) fixed' in page


def test_theme_can_be_turned(run):
    assert 'data-theme' not in re.search(r'<html[^>]*>', run(''))[0]
    page = run("document.getElementById('theme').click()")
    assert re.search(r'<html[^>]*data-theme="(dark|light)"', page)
