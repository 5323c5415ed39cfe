"""Refinement of many images in one call, named as mmseg's ``MMSegInferencer`` is."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from mmengine.infer import BaseInferencer
from mmengine.visualization import Visualizer
from rich.console import Console
from rich.progress import track

from ..files.find import check_out_folder
from ..files.label_maps import LabelMap, read_label_map, write_label_map
from ..files.pictures import PictureFolder, PictureVideo, picture_sink
from ..methods import DEFAULT
from ..pictures.changes import draw_refinement
from ..refiners import Refiner, check_masks
from ..refiners.loaders import Loader, image_loader
from .build import build_refiner
from .predictions import OpenedPredictions, open_predictions
from .refinement_inputs import RefinementInput, pair_inputs


@dataclass(frozen=True)
class LoadedInput:
    """An image in memory, with its predictions opened.

    Attributes:
        given: What it was made of.
        image: BGR uint8 (H, W, 3).
        opened: The predictions.
    """

    given: RefinementInput
    image: np.ndarray
    opened: OpenedPredictions


class RefinementInferencer(BaseInferencer):
    """Refines images in batches, lists, folders and videos, with pictures and a progress bar.

    Names and results are those of ``mmseg.apis.MMSegInferencer``; beside the images it takes
    what some model predicted for them.

    Examples:
        >>> from mmrefine.apis import RefinementInferencer
        >>> inferencer = RefinementInferencer('segfix', device='cpu', show_progress=False)
        >>> result = inferencer('photo.png', label_map, return_vis=True)
        >>> result['predictions'].shape == label_map.shape
        True
        >>> result['visualization'].shape[1]
        1000

    Args:
        model: As for ``mmrefine.apis.build_refiner``; or a refiner.
        weights: Weights in place of those that the method ships or the config names.
        device: Where the network runs; a GPU by default if there is one.
        show_progress: Whether to show a progress bar.
        bands: Of images of other bands and types, those to look at; see ``load_image``.
        loader: A function of your own that reads images, or its name ``'module:function'``; see
            ``mmrefine.refiners.loaders.image_loader``.
        **options: Further options of the refiner: ``scale=1``.

    Raises:
        ValueError, TypeError: as ``mmrefine.apis.build_refiner``.
    """

    visualize_kwargs = {'return_vis', 'show', 'wait_time', 'sink', 'insets', 'width'}

    def __init__(
        self,
        model: Refiner | str | os.PathLike | Mapping[str, Any] = DEFAULT,
        weights: str | os.PathLike | None = None,
        device: str | None = None,
        show_progress: bool = True,
        bands: Sequence[int] | None = None,
        loader: Loader | str | None = None,
        **options: Any,
    ) -> None:
        # Not the base class's: a refiner is more than a network, and none is looked for elsewhere.
        if isinstance(model, Refiner):
            if weights is not None or device is not None or options:
                raise ValueError('model: a refiner is built already; give no weights or options')
            self.model = model
        else:
            self.model = build_refiner(model, weights, device, **options)
        self.show_progress = show_progress
        self._read = image_loader(loader, bands)
        self.pipeline = self._init_pipeline({})
        self.collate_fn = list
        self.visualizer: Visualizer | None = None

    def __call__(
        self,
        inputs: Any,
        masks: Any,
        ground_truth: Any = None,
        batch_size: int = 1,
        return_vis: bool = False,
        show: bool = False,
        wait_time: float = 0,
        out_dir: str | os.PathLike = '',
        img_out_dir: str = 'vis',
        pred_out_dir: str = 'pred',
        insets: int = 3,
        width: int = 1000,
        fps: float | None = None,
    ) -> dict[str, Any]:
        """Refine what was predicted for images.

        Args:
            inputs: An image, path or BGR uint8 array (H, W, 3); a list of them; a folder of
                images; or a video file.
            masks: What was predicted for it, of any kind that ``mmrefine.apis.refine`` takes;
                a list of the same length; a folder of label maps with the names of the images;
                for a video, a folder with one label map for each frame, in the order of their
                names.
            ground_truth: What it should be, in the same form. Pictures then tell fixed from
                broken pixels.
            batch_size: Images that are read and refined at a time.
            return_vis: Whether to return pictures.
            show: Whether to show pictures in a window.
            wait_time: Seconds to show each; 0: until a key is pressed.
            out_dir: Folder for refined label maps and pictures; nothing is written without.
            img_out_dir: Where in ``out_dir`` pictures go. A name that ends with ``.mp4`` makes a
                video of them, without insets. Empty: none are drawn.
            pred_out_dir: Where in ``out_dir`` refined masks go: files keep their form; label maps
                from memory become PNGs of 8 or 16 bits, or ``.npy`` where labels do not fit;
                stacks become ``.npy``. Empty: none are written.
            insets: Most places that are enlarged in a picture.
            width: Width of pictures.
            fps: Frames a second of a video; by default those of ``inputs``, else 25.

        Returns:
            ``predictions``: the refined ones, each of the kind that was given (arrays for files).
            ``visualization``: RGB uint8 pictures, or an empty list. A single image gives single
            ones, not lists.

        Raises:
            ValueError: if anything has no counterpart, does not fit or cannot be read.
            TypeError: if masks are of another kind.
        """
        if batch_size < 1:
            raise ValueError(f'batch_size: expected 1 or more, got {batch_size}')
        found = pair_inputs(inputs, masks, ground_truth)
        out = Path(out_dir) if os.fspath(out_dir) else None
        saved = out / pred_out_dir if out and pred_out_dir else None
        drawn = out / img_out_dir if out and img_out_dir else None
        for folder in filter(None, (out, saved)):
            check_out_folder(folder, found.folders)
        batches = self.preprocess(found.entries, batch_size)
        if self.show_progress:
            total = math.ceil(found.number / batch_size)
            # On a terminal only: files and notebooks' logs get no escape sequences.
            console = Console(stderr=True)
            quiet = not console.is_terminal
            batches = track(batches, 'Refining', total, console=console, disable=quiet)
        predictions: list[Any] = []
        visualization: list[np.ndarray] = []
        with ExitStack() as stack:
            sink: PictureFolder | PictureVideo | None = None
            if drawn:
                sink = picture_sink(drawn, found.fps or 25 if fps is None else fps)
                stack.enter_context(sink)
            for batch in batches:
                refined = self.forward(batch)
                visualization += self.visualize(
                    batch, refined, show, return_vis, wait_time, sink, insets, width
                )
                for item, array in zip(batch, refined, strict=True):
                    predictions.append(item.opened.with_masks(array))
                    if saved:
                        _save(saved, item.given, array)
        return self.postprocess(predictions, visualization)

    def forward(self, inputs: Sequence[LoadedInput], **kwargs: Any) -> list[np.ndarray]:
        """Refine a batch: arrays as in the opened predictions."""
        pairs = [(i.image, i.opened.masks) for i in inputs if i.opened.masks.size]
        refined = self.model.refine_each(pairs)
        # Where nothing was found, there is nothing to refine.
        return [next(refined) if i.opened.masks.size else i.opened.masks for i in inputs]

    def visualize(
        self,
        inputs: Sequence[LoadedInput],
        preds: Sequence[np.ndarray],
        show: bool = False,
        return_vis: bool = False,
        wait_time: float = 0,
        sink: PictureFolder | PictureVideo | None = None,
        insets: int = 3,
        width: int = 1000,
    ) -> list[np.ndarray]:
        """Draw before and after, as ``mmrefine.apis.draw_refinement``.

        Args:
            inputs: A batch as ``preprocess`` gives it.
            preds: Refined masks as ``forward`` gives them.
            show: As in ``__call__``.
            return_vis: As in ``__call__``.
            wait_time: As in ``__call__``.
            sink: Where pictures are written to.
            insets: As in ``__call__``; videos have none.
            width: As in ``__call__``.

        Returns:
            RGB uint8 pictures (h, width, 3) if ``return_vis``.
        """
        pictures: list[np.ndarray] = []
        if not (show or return_vis or sink):
            return pictures
        insets = 0 if isinstance(sink, PictureVideo) else insets
        for item, refined in zip(inputs, preds, strict=True):
            before, after = (_drawable(masks, item.image) for masks in (item.opened.masks, refined))
            truth = item.given.truth
            truth = None if truth is None else open_predictions(truth).masks
            picture = draw_refinement(item.image, before, after, truth, insets, width)
            if sink:
                sink.write(item.given.name, picture)
            if show:
                self._show(picture[..., ::-1], item.given.name, wait_time)
            if return_vis:
                pictures.append(picture[..., ::-1])
        return pictures

    def postprocess(
        self,
        preds: list[Any],
        visualization: list[np.ndarray],
        return_datasample: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Predictions and pictures as MMSegInferencer gives them: of one image, no lists."""
        results: dict[str, Any] = dict(predictions=preds, visualization=visualization)
        if len(preds) == 1:
            results = {key: value[0] if value else value for key, value in results.items()}
        return results

    def _init_pipeline(self, cfg: Any) -> Callable[[RefinementInput], LoadedInput]:
        return self._load

    def _load(self, given: RefinementInput) -> LoadedInput:
        try:
            image = self._read(given.image)
            opened = open_predictions(given.predictions)
            if opened.masks.size:
                check_masks(opened.masks, (image.shape[0], image.shape[1]))
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f'{given.name}: {error}') from error
        return LoadedInput(given, image, opened)

    def _show(self, picture_rgb: np.ndarray, name: str, wait_time: float) -> None:
        if mpl.get_backend().lower() == 'agg':
            raise ValueError('show: no window can be opened here; use out_dir or return_vis')
        if self.visualizer is None:
            self.visualizer = Visualizer()
        self.visualizer.show(picture_rgb, name, wait_time)


def _drawable(masks: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Masks of the image's size also where there are none."""
    return masks if masks.size else np.zeros((0, *image.shape[:2]), bool)


def _save(folder: Path, given: RefinementInput, refined: np.ndarray) -> None:
    """Write refined masks below a folder."""
    path = folder / given.name
    if isinstance(given.predictions, str | os.PathLike):
        source = Path(given.predictions)
        form = read_label_map(source, colours=True)
        target = path.with_name(path.name + source.suffix.lower())
        if target.resolve() == source.resolve():
            raise ValueError(f'{target}: is an input, which would be overwritten')
    else:
        form = LabelMap(_narrowed(refined))
        kind = (
            '.png' if form.labels.dtype in (np.uint8, np.uint16) and refined.ndim == 2 else '.npy'
        )
        target = path.with_name(path.name + kind)
    write_label_map(target, refined.astype(form.labels.dtype), form)


def _narrowed(masks: np.ndarray) -> np.ndarray:
    """Label maps as the smallest type of a PNG that holds them; others as they are."""
    if masks.ndim == 2 and masks.size and masks.min() >= 0:
        for dtype in (np.uint8, np.uint16):
            if masks.max() <= np.iinfo(dtype).max:
                return masks.astype(dtype)
    return masks
