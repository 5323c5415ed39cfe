"""Images before and after, with what was fixed and what was broken.

Shape legend: H, W = image; h, w = the part of it that is shown; s = enlargement.
"""

import base64
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..files.find import IMAGE_SUFFIXES, FileIndex, find_files
from ..files.pairs import missing_text
from ..pictures import drawing
from ..pictures.changes import densest_parts
from ..refiners import load_image
from .evaluation import Evaluation
from .scores import ImageScore, ImageTask, Scene

# What is changed is often one pixel wide: only a part of the image is shown, enlarged.
PART_HW = (150, 200)
SHOWN_WIDTH = 600
# Here, all is RGB.
FIXED, BROKEN = drawing.FIXED[::-1], drawing.BROKEN[::-1]
VOID = (255, 255, 255)
JPEG_QUALITY = 88


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

    def read(self, task: ImageTask, size_hw: tuple[int, ...]) -> np.ndarray | None:
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


def _picture(
    evaluation: Evaluation, index: int, prediction: int, photographs: Photographs
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
    panels = {
        name: draw_labels(labels[part], scene.palette, _cut(photograph, part))
        for name, labels in shown.items()
    }
    panels[last] = draw_change(scene, part, fixed, broken, _cut(photograph, part))
    encode = _data_uri if photograph is None else _jpeg_uri
    return Picture(
        task.name,
        f'{caption}; {_where(part, scene.target.shape)}',
        {name: encode(panel) for name, panel in panels.items()},
    )


def draw_labels(
    labels: np.ndarray, palette: np.ndarray, photograph: np.ndarray | None
) -> np.ndarray:
    """Labels (h, w) in their colours, with the photograph shining through: RGB (s·h, s·w, 3)."""
    colours = _enlarged(_coloured(labels, palette))
    if photograph is None:
        return colours
    return cv2.addWeighted(_enlarged(photograph, cv2.INTER_CUBIC), 0.5, colours, 0.5, 0)


def draw_change(
    scene: Scene,
    part: tuple[slice, slice],
    fixed: np.ndarray,
    broken: np.ndarray,
    photograph: np.ndarray | None,
) -> np.ndarray:
    """Fixed and broken pixels and the true boundary on pale ground: RGB (s·h, s·w, 3)."""
    target, judged = scene.target[part], scene.judged[part]
    if photograph is None:
        ground = _enlarged(_coloured(np.where(judged, target, -1), scene.palette))
    else:
        grey = cv2.cvtColor(np.ascontiguousarray(photograph), cv2.COLOR_RGB2GRAY)
        ground = np.repeat(_enlarged(grey, cv2.INTER_CUBIC)[..., None], 3, axis=2)
    canvas = cv2.addWeighted(ground, 0.4, np.full_like(ground, 255), 0.6, 0)
    for changed, colour in ((fixed, FIXED), (broken, BROKEN)):
        drawing.fill(canvas, changed[part], colour)
    drawing.draw_contours(canvas, target, drawing.INK, thickness=2, casing=0)
    return canvas


def _coloured(labels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Colours (h, w, 3) of labels; what is no class is white."""
    known = (labels >= 0) & (labels < len(palette))
    return np.where(known[..., None], palette[np.where(known, labels, 0)], np.array(VOID, np.uint8))


def _enlarged(array: np.ndarray, how: int = cv2.INTER_NEAREST) -> np.ndarray:
    times = max(1, SHOWN_WIDTH // array.shape[1])
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


def _data_uri(panel: np.ndarray) -> str:
    content = cv2.imencode('.png', panel[..., ::-1])[1]
    return 'data:image/png;base64,' + base64.b64encode(content.tobytes()).decode()


def _jpeg_uri(panel: np.ndarray) -> str:
    content = cv2.imencode('.jpg', panel[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return 'data:image/jpeg;base64,' + base64.b64encode(content.tobytes()).decode()
