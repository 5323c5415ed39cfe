"""The plots of a report, as SVG. Their legend is text of the page: see ``legend``."""

import io
from collections.abc import Iterable, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from .evaluation import Bands

# Okabe and Ito's colours, told apart by the colour-blind; the first prediction is grey.
COLOURS = ('#6e6e6e', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9')
# By their names in CSS and in matplotlib.
LINES = ('solid', 'dashed', 'dotted')
# Small, so that the text stays legible where the plot is shrunk to the width of a telephone.
SIZE = (5.0, 3.3)


def legend(names: Iterable[str]) -> list[tuple[str, str, str]]:
    """Name, colour and line style of each prediction."""
    return [(name, *_line(index)) for index, name in enumerate(names)]


def error_plot(bands: Bands) -> bytes:
    """Wrong pixels by distance to the true boundary, as an SVG file.

    Each prediction is a line of steps, one for each pixel of distance; what is farther away
    than the last width is left out.
    """
    figure, axes = _figure()
    edges = [0, *bands.widths]
    for index, values in enumerate(bands.wrong[:, :-1]):
        colour, style = _line(index)
        axes.stairs(values, edges, color=colour, linestyle=style, linewidth=1.8)
        if len(bands.wrong) <= 2:
            axes.stairs(values, edges, fill=True, alpha=0.15, color=colour)
    axes.set_xlabel('distance to the true boundary (px)')
    axes.set_ylabel('wrong pixels')
    axes.yaxis.set_major_formatter(EngFormatter(sep=''))
    axes.set_ylim(bottom=0)
    return _svg(figure, axes, edges[-1])


def trimap_plot(bands: Bands) -> bytes:
    """MIoU within a band around the true boundary, by its width, as an SVG file."""
    figure, axes = _figure()
    for index, values in enumerate(bands.inside):
        colour, style = _line(index)
        axes.plot(bands.widths, values, color=colour, linestyle=style, linewidth=1.8)
    axes.set_xlabel('width of the band around the true boundary (px)')
    axes.set_ylabel('mIoU within the band (%)')
    return _svg(figure, axes, bands.widths[-1])


def consistency_plot(lines: Sequence[Sequence[float]], starts: Sequence[int]) -> bytes:
    """Consistency of each pair of frames, per cent, as an SVG file.

    Args:
        lines: One for each prediction, over the pairs of all videos in a row.
        starts: Where a video begins that is not the first.
    """
    figure, axes = _figure()
    for index, values in enumerate(lines):
        colour, style = _line(index)
        axes.plot(range(1, len(values) + 1), values, color=colour, linestyle=style, linewidth=1.4)
    for start in starts:
        axes.axvline(start + 0.5, color='#999999', linewidth=0.8)
    axes.set_xlabel('pair of frames')
    axes.set_ylabel('perceptual consistency (%)')
    return _svg(figure, axes, max(len(lines[0]), 2))


def _line(index: int) -> tuple[str, str]:
    return COLOURS[index % len(COLOURS)], LINES[index // len(COLOURS) % len(LINES)]


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, layout='constrained')
    axes = figure.add_subplot()
    axes.spines[['top', 'right']].set_visible(False)
    axes.grid(axis='y', color='#dddddd', linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=10)
    return figure, axes


def _svg(figure: Figure, axes: Axes, widest: float) -> bytes:
    axes.set_xlim(0, widest)
    axes.xaxis.label.set_fontsize(11)
    axes.yaxis.label.set_fontsize(11)
    content = io.BytesIO()
    # The same input gives the same file.
    with mpl.rc_context({'svg.hashsalt': 'mmrefine'}):
        figure.savefig(content, format='svg', metadata={'Date': None, 'Creator': None})
    return content.getvalue()
