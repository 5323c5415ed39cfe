"""The plots of a report, as SVG."""

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from .evaluate_figures import Bands

# Okabe and Ito's colours, told apart by the colour-blind; the first prediction is grey.
COLOURS = ('#6e6e6e', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9')
LINES = ('-', '--', ':', '-.')
# Small, so that the text stays legible where the plot is shrunk to the width of a telephone.
SIZE = (5.0, 3.3)


def error_plot(bands: Bands, names: Sequence[str]) -> bytes:
    """Wrong pixels by distance to the true boundary, as an SVG file.

    Each prediction is a line of steps, one for each pixel of distance; what is farther away
    than the last width is left out.
    """
    figure, axes = _figure()
    edges = [0, *bands.widths]
    for index, (name, values) in enumerate(zip(names, bands.wrong[:, :-1], strict=True)):
        axes.stairs(values, edges, label=name, **_line(index))
        if len(names) <= 2:
            axes.stairs(values, edges, fill=True, alpha=0.15, color=_line(index)['color'])
    axes.set_xlabel('distance to the true boundary (px)')
    axes.set_ylabel('wrong pixels')
    axes.yaxis.set_major_formatter(EngFormatter(sep=''))
    axes.set_ylim(bottom=0)
    return _svg(figure, axes, edges[-1])


def trimap_plot(bands: Bands, names: Sequence[str]) -> bytes:
    """MIoU within a band around the true boundary, by its width, as an SVG file."""
    figure, axes = _figure()
    for index, (name, values) in enumerate(zip(names, bands.inside, strict=True)):
        axes.plot(bands.widths, values, label=name, **_line(index))
    axes.set_xlabel('width of the band around the true boundary (px)')
    axes.set_ylabel('mIoU within the band (%)')
    return _svg(figure, axes, bands.widths[-1])


def colour_of(index: int) -> str:
    """Colour of a prediction in all plots."""
    return COLOURS[index % len(COLOURS)]


def _line(index: int) -> dict:
    style = LINES[index // len(COLOURS) % len(LINES)]
    return dict(color=colour_of(index), linestyle=style, linewidth=1.8)


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
    axes.legend(frameon=False, fontsize=10)
    content = io.BytesIO()
    # The same input gives the same file.
    with mpl.rc_context({'svg.hashsalt': 'mmrefine'}):
        figure.savefig(content, format='svg', metadata={'Date': None, 'Creator': None})
    return content.getvalue()
