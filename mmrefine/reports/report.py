"""An evaluation as ``report.json``, ``report.csv`` and a ``report.html`` with all inside."""

import base64
import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from ..files.whole_files import write_whole_file
from ..version import __version__
from .evaluation import Evaluation, Measure
from .gallery import BROKEN, FIXED, Gallery, Picture
from .plots import error_plot, legend, trimap_plot

NAMES = ('report.json', 'report.csv', 'report.html')


def write_report(
    folder: str | os.PathLike,
    evaluation: Evaluation,
    galleries: Sequence[Gallery] = (),
    pictures: Mapping[int, Picture] | None = None,
) -> list[Path]:
    """Write the three files; each gets its name when it is complete.

    Args:
        folder: Where they go; it is made if it is not there.
        evaluation: What was found.
        galleries: Pictures for the page.
        pictures: Pictures of single images, by their place in ``evaluation.scores``, for the table
            of all images.

    Returns:
        The files.

    Raises:
        OSError: if one cannot be written.
    """
    page = report_html(evaluation, galleries, pictures)
    contents = report_json(evaluation), report_csv(evaluation), page
    paths = [Path(folder) / name for name in NAMES]
    for path, content in zip(paths, contents, strict=True):
        write_whole_file(path, content.encode())
    return paths


def report_json(evaluation: Evaluation) -> str:
    """Everything that was found, per cent; ``null`` where there was nothing to judge."""
    names, bands = list(evaluation.predictions), evaluation.bands
    content = {
        'mmrefine': __version__,
        'kind': evaluation.kind,
        'unit': 'per cent',
        'ground_truth': os.fspath(evaluation.ground_truth),
        'predictions': {name: os.fspath(p) for name, p in evaluation.predictions.items()},
        'compared_with': names[0],
        'subject': evaluation.subject,
        'settings': dict(evaluation.settings),
        'remarks': list(evaluation.remarks),
        'figures': {n: _column(evaluation, p, 'values') for p, n in enumerate(names)},
        'gains': {n: _column(evaluation, p, 'gains') for p, n in enumerate(names) if p},
        'per_class': {n: _class_figures(evaluation, p) for p, n in enumerate(names)},
        'trimap': {
            'widths': bands.widths,
            'miou_inside': dict(zip(names, bands.inside, strict=True)),
            'miou_outside': dict(zip(names, bands.outside, strict=True)),
        },
        'errors_by_distance': {
            'distances': bands.widths,
            'pixels': bands.pixels,
            'wrong': dict(zip(names, bands.wrong, strict=True)),
        },
        'per_image': [
            {
                'image': score.name,
                'pixels': score.pixels,
                'wrong': dict(zip(names, score.wrong, strict=True)),
                'fixed': dict(zip(names[1:], score.fixed[1:], strict=True)),
                'broken': dict(zip(names[1:], score.broken[1:], strict=True)),
            }
            for score in evaluation.scores
        ],
    }
    return json.dumps(_plain(content), indent=1, allow_nan=False, ensure_ascii=False) + '\n'


def report_csv(evaluation: Evaluation) -> str:
    """One row for each measure, and one for each measure and class; columns are predictions."""
    names = list(evaluation.predictions)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    of_gains = (f'gain {name}' for name in names[1:])
    writer.writerow(['measure', 'class', *map(text_cell, names), *of_gains])
    for measure in evaluation.measures:
        writer.writerow([measure.key, '', *_cells(measure.values), *_cells(measure.gains[1:])])
        if measure.by_class is None:
            continue
        for c, name in enumerate(evaluation.classes):
            gains = measure.gains_by_class[1:, c]
            row = [*_cells(measure.by_class[:, c]), *_cells(gains)]
            writer.writerow([measure.key, text_cell(name), *row])
    return text.getvalue()


def text_cell(text: str) -> str:
    """A text that spreadsheets do not take for a formula."""
    return f"'{text}" if text.startswith(('=', '+', '-', '@')) else text


def report_html(
    evaluation: Evaluation,
    galleries: Sequence[Gallery] = (),
    pictures: Mapping[int, Picture] | None = None,
) -> str:
    """The page, with plots, pictures, style and script inside."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.tests['nan'] = math.isnan
    environment.filters['side'] = lambda gain: 'worse' if gain < 0 else 'better'
    environment.filters['gain_range'] = _gain_range
    names = list(evaluation.predictions)
    return environment.get_template('report_template.html').render(
        evaluation=evaluation,
        names=names,
        galleries=galleries,
        images=_image_rows(evaluation, pictures or {}),
        legend=legend(names),
        error_plot=svg_uri(error_plot(evaluation.bands)),
        trimap_plot=svg_uri(trimap_plot(evaluation.bands)),
        better='#{:02x}{:02x}{:02x}'.format(*FIXED),
        worse='#{:02x}{:02x}{:02x}'.format(*BROKEN),
        version=__version__,
    )


def _image_rows(evaluation: Evaluation, pictures: Mapping[int, Picture]) -> list[dict[str, Any]]:
    """What the page's script makes the table of all images from.

    ``counts`` is judged pixels, then wrong, fixed and broken ones of each prediction; ``classes``
    the same of the pixels of each class that the image has.
    """
    rows: list[dict[str, Any]] = []
    for index, score in enumerate(evaluation.scores):
        counts = [score.pixels, *score.wrong, *score.fixed, *score.broken]
        row: dict[str, Any] = dict(name=score.name, counts=counts, classes={})
        if score.by_class is not None:
            row['classes'] = {
                str(c): score.by_class[:, c].tolist() for c in np.flatnonzero(score.by_class[0])
            }
        if index in pictures:
            picture = pictures[index]
            row['picture'] = dict(caption=picture.caption, panels=list(picture.panels.items()))
        rows.append(row)
    return rows


def _column(evaluation: Evaluation, prediction: int, kind: str) -> dict[str, float]:
    return {m.key: getattr(m, kind)[prediction] for m in evaluation.measures}


def _class_figures(evaluation: Evaluation, prediction: int) -> dict[str, dict[str, float]]:
    return {
        m.key: dict(zip(evaluation.classes, m.by_class[prediction], strict=True))
        for m in evaluation.measures
        if m.by_class is not None
    }


def _cells(values: np.ndarray) -> list[str]:
    return ['' if math.isnan(value) else f'{value:.4f}' for value in values]


def _gain_range(measure: Measure) -> tuple[float, float]:
    """Smallest and largest gain of any class, 0 included; never the same."""
    gains = measure.gains_by_class
    low, high = np.nanmin(gains, initial=0), np.nanmax(gains, initial=0)
    return float(low), max(float(high), float(low) + 1e-9)


def _plain(value: Any) -> Any:
    """Numbers, lists and objects as JSON has them."""
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def svg_uri(content: bytes) -> str:
    """An SVG file inside a page."""
    return 'data:image/svg+xml;base64,' + base64.b64encode(content).decode()
