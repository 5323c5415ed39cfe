"""Images before and after, with what was fixed and what was broken.

Shape legend: H, W = image; h, w = the part of it that is shown; s = enlargement.
"""

import base64
import functools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..files.find import IMAGE_SUFFIXES, FileIndex, find_files
from ..files.pairs import missing_text
from ..pictures import drawing
from ..pictures.changes import densest_parts
from ..refiners import load_image
from ..runs.pool import in_processes
from .evaluation import Evaluation
from .scores import ComparedImage, ImageScore, Scene

# What is changed is often one pixel wide: only a part of the image is shown, enlarged.
PART_HW = (150, 200)
SHOWN_WIDTH = 600
# Pictures that are seen when a line of the table is opened are smaller; together, they and the
# page stay below what a browser opens at once.
SMALL_WIDTH = 400
MOST_BYTES = 20_000_000
# Here, all is RGB.
FIXED, BROKEN = drawing.FIXED[::-1], drawing.BROKEN[::-1]
COARSE, REFINED = drawing.COARSE[::-1], drawing.REFINED[::-1]
VOID = (255, 255, 255)
JPEG_QUALITY, WEBP_QUALITY = 88, 60


@dataclass(frozen=True)
class Picture:
    """One image in the report.

    Attributes:
        title: The image.
        caption: What changed, and which part is shown.
        panels: What is shown and the picture, as a data URI.
    """

    title: str
    caption: str
    panels: dict[str, str]


@dataclass(frozen=True)
class Gallery:
    """Pictures with a heading."""

    heading: str
    pictures: list[Picture]


class Photographs:
    """The photographs of the images of an evaluation.

    Args:
        where: Folder, or None to do without.
        names: The images: paths below the folder, with or without suffix.
        suffix: How the stems of photographs end after the name they share with the labels.

    Raises:
        ValueError: if an image has no photograph; the text names all of them.
    """

    def __init__(
        self, where: str | os.PathLike | None, names: Iterable[str], suffix: str = ''
    ) -> None:
        self._found: dict[str, Path] = {}
        if where is None:
            return
        files = find_files(where, IMAGE_SUFFIXES, suffix)
        index = FileIndex([(key, file) for file in files for key in (file.name, file.relative)])
        missing = []
        for name in names:
            try:
                self._found[name] = index.find(name).path
            except LookupError as error:
                missing.append(f'{name}: its photograph in {where}: {error}')
        if missing:
            raise ValueError(missing_text(missing))

    def read(self, task: ComparedImage, size_hw: tuple[int, ...]) -> np.ndarray | None:
        """RGB uint8 (H, W, 3), or None without photographs.

        Raises:
            ValueError: if the photograph has another size than the labels.
        """
        path = self._found.get(task.image_name)
        if path is None:
            return None
        image = load_image(path)[..., ::-1]
        if image.shape[:2] != size_hw:
            raise ValueError(
                f'{path}: expected the size {size_hw[0]}x{size_hw[1]} (height x width) of the '
                f'labels {task.name}, got {image.shape[0]}x{image.shape[1]}'
            )
        return image


def galleries(evaluation: Evaluation, photographs: Photographs, number: int) -> list[Gallery]:
    """Pictures of the most improved and the most harmed images.

    Args:
        evaluation: What was found.
        photographs: What they are shown on, if there are any.
        number: Most pictures under each heading.

    Returns:
        Two galleries for each prediction but the first; of a single prediction, one of the
        images with the largest share of wrong pixels.
    """
    names = list(evaluation.predictions)
    scores = evaluation.scores
    found = []
    if len(names) == 1:
        order = sorted(
            range(len(scores)), key=lambda i: -scores[i].wrong[0] / max(scores[i].pixels, 1)
        )
        found.append(('Most wrong pixels', 0, order[:number]))
    for p in range(1, len(names)):
        order = sorted(range(len(scores)), key=lambda i: -scores[i].gain(p))
        better = [i for i in order if scores[i].gain(p) > 0][:number]
        worse = [i for i in order[::-1] if scores[i].gain(p) < 0][:number]
        found.append((f'Most improved: {names[0]} → {names[p]}', p, better))
        found.append((f'Most harmed: {names[0]} → {names[p]}', p, worse))
    return [
        Gallery(heading, [_picture(evaluation, i, p, photographs) for i in chosen])
        for heading, p, chosen in found
    ]


def pictures_of_all(
    evaluation: Evaluation,
    photographs: Photographs,
    workers: int = 1,
    most_bytes: int = MOST_BYTES,
    progress: Callable[[], object] = lambda: None,
) -> dict[int, Picture]:
    """A small picture of each image, of its most changed part in the last prediction.

    Args:
        evaluation: What was found.
        photographs: What they are shown on, if there are any.
        workers: Most processes.
        most_bytes: Of all pictures together; images that changed least have none beyond it.
        progress: Called after each image.

    Returns:
        Pictures by the place of the image in ``evaluation.scores``.

    Raises:
        ValueError: if an image cannot be read.
    """
    order = sorted(range(len(evaluation.scores)), key=lambda i: -_changed(evaluation, i))
    draw = functools.partial(_small_picture, evaluation, photographs)
    found: dict[int, Picture] = {}
    size = 0
    for index, picture in zip(order, in_processes(draw, order, workers), strict=True):
        size += sum(map(len, picture.panels.values()))
        if size > most_bytes:
            break
        found[index] = picture
        progress()
    return found


def _small_picture(evaluation: Evaluation, photographs: Photographs, index: int) -> Picture:
    last = len(evaluation.predictions) - 1
    return _picture(evaluation, index, last, photographs, SMALL_WIDTH)


def _changed(evaluation: Evaluation, index: int) -> float:
    """Share of the pixels of an image that the last prediction changed, or has wrong if alone."""
    score = evaluation.scores[index]
    if len(evaluation.predictions) == 1:
        return score.wrong[0] / max(score.pixels, 1)
    return (score.fixed[-1] + score.broken[-1]) / max(score.pixels, 1)


def _picture(
    evaluation: Evaluation,
    index: int,
    prediction: int,
    photographs: Photographs,
    width: int = SHOWN_WIDTH,
) -> Picture:
    task, names = evaluation.tasks[index], list(evaluation.predictions)
    scene = task.scene()
    photograph = photographs.read(task, scene.target.shape)
    score = evaluation.scores[index]
    fixed = scene.wrong[0] & ~scene.wrong[prediction]
    broken = scene.wrong[prediction] & ~scene.wrong[0]
    if prediction == 0:
        shown = {'ground truth': scene.target, names[0]: scene.predictions[0]}
        broken, last = scene.wrong[0], 'wrong pixels'
        caption = f'{_share(score.wrong[0], score)} wrong'
        weight = broken.astype(np.float32)
    else:
        shown = {names[p]: scene.predictions[p] for p in (0, prediction)}
        last = f'{names[0]} → {names[prediction]}'
        caption = (
            f'{_share(score.fixed[prediction], score)} fixed, '
            f'{_share(score.broken[prediction], score)} broken'
        )
        difference = fixed.astype(np.float32) - broken
        weight = difference if score.gain(prediction) > 0 else -difference
    (part,) = densest_parts(weight, PART_HW, 1)
    ground = _cut(photograph, part)
    colours = (COARSE, REFINED)
    panels = {
        name: draw_labels(labels[part], scene.palette, ground, colour, width)
        for colour, (name, labels) in zip(colours, shown.items(), strict=True)
    }
    panels[last] = draw_change(scene, part, fixed, broken, ground, width)
    options: tuple[int, ...] = ()
    kind = 'png'
    if photograph is not None:
        kind, options = 'jpeg', (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
        if width == SMALL_WIDTH:
            kind, options = 'webp', (cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY)
    return Picture(
        task.name,
        f'{caption}; {_where(part, scene.target.shape)}',
        {name: data_uri(panel, kind, *options) for name, panel in panels.items()},
    )


def draw_labels(
    labels: np.ndarray,
    palette: np.ndarray,
    photograph: np.ndarray | None,
    colour: drawing.Colour = REFINED,
    width: int = SHOWN_WIDTH,
) -> np.ndarray:
    """Contours of labels (h, w) on the photograph: RGB (s·h, s·w, 3).

    Without a photograph, the labels in their colours.
    """
    if photograph is None:
        return _enlarged(_coloured(labels, palette), width)
    canvas = _enlarged(photograph, width, cv2.INTER_CUBIC)
    drawing.draw_contours(canvas, labels, colour, 2.2, 1.2)
    return canvas


def draw_change(
    scene: Scene,
    part: tuple[slice, slice],
    fixed: np.ndarray,
    broken: np.ndarray,
    photograph: np.ndarray | None,
    width: int = SHOWN_WIDTH,
) -> np.ndarray:
    """Fixed and broken pixels and the true boundary on pale ground: RGB (s·h, s·w, 3)."""
    target, judged = scene.target[part], scene.judged[part]
    if photograph is None:
        ground = _enlarged(_coloured(np.where(judged, target, -1), scene.palette), width)
    else:
        grey = cv2.cvtColor(np.ascontiguousarray(photograph), cv2.COLOR_RGB2GRAY)
        ground = np.repeat(_enlarged(grey, width, cv2.INTER_CUBIC)[..., None], 3, axis=2)
    canvas = cv2.addWeighted(ground, 0.4, np.full_like(ground, 255), 0.6, 0)
    for changed, colour in ((fixed, FIXED), (broken, BROKEN)):
        drawing.fill(canvas, changed[part], colour)
    drawing.draw_contours(canvas, target, drawing.INK, thickness=2, casing=0)
    return canvas


def _coloured(labels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Colours (h, w, 3) of labels; what is no class is white."""
    known = (labels >= 0) & (labels < len(palette))
    return np.where(known[..., None], palette[np.where(known, labels, 0)], np.array(VOID, np.uint8))


def _enlarged(array: np.ndarray, width: int, how: int = cv2.INTER_NEAREST) -> np.ndarray:
    times = max(1, width // array.shape[1])
    size = (array.shape[1] * times, array.shape[0] * times)
    return np.asarray(cv2.resize(array, size, interpolation=how))


def _cut(photograph: np.ndarray | None, part: tuple[slice, slice]) -> np.ndarray | None:
    return None if photograph is None else photograph[part]


def _where(part: tuple[slice, slice], shape: tuple[int, ...]) -> str:
    rows, columns = part
    size = f'{shape[1]}×{shape[0]}'
    shown = f'{columns.stop - columns.start}×{rows.stop - rows.start}'
    if shown == size:
        return f'all of {size}'
    return f'{shown} of {size}, from x {columns.start}, y {rows.start}'


def _share(pixels: int, score: ImageScore) -> str:
    return f'{pixels:,} px ({100 * pixels / max(score.pixels, 1):.2f} %)'


def data_uri(panel: np.ndarray, kind: str, *options: int) -> str:
    """An RGB picture (h, w, 3) as a file of a kind that OpenCV writes, inside a page."""
    content = cv2.imencode(f'.{kind}', panel[..., ::-1], options)[1]
    return f'data:image/{kind};base64,{base64.b64encode(content.tobytes()).decode()}'
