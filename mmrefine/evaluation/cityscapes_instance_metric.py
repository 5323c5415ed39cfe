"""Cityscapes' own instance AP of mmdet's predictions."""

import copy
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from mmengine.evaluator import BaseMetric

from ..registry import METRICS
from .instance_samples import predicted_instances


@METRICS.register_module()
class CityscapesInstanceMetric(BaseMetric):
    """AP and AP50 of the Cityscapes benchmark, computed by its own scripts.

    Needs ``pip install cityscapesscripts``. Unlike mmdet's ``CityScapesMetric`` it writes
    nothing that stays, so that several of them (before and after refinement) and several
    processes do not meet in one folder. Figures, per cent: ``cityscapes/ap``,
    ``cityscapes/ap50``.

    Args:
        gt_dir: Folder with ``<city>/<image>_gtFine_instanceIds.png``. Default: the image's path
            with ``leftImg8bit`` replaced by ``gtFine``.
        collect_device, prefix: As in every mmengine metric.

    Raises:
        ImportError: cityscapesscripts is missing.
    """

    default_prefix = 'cityscapes'

    def __init__(
        self,
        gt_dir: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        try:
            import cityscapesscripts.evaluation.evalInstanceLevelSemanticLabeling as script
        except ImportError as error:
            raise ImportError(
                'CityscapesInstanceMetric needs cityscapesscripts; install it with '
                '"pip install cityscapesscripts"'
            ) from error
        super().__init__(collect_device=collect_device, prefix=prefix)
        self._script = script
        self.gt_dir = gt_dir

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep path and instances, masks as PNG; one entry for each image."""
        for sample in data_samples:
            instances = []
            for label, score, mask in predicted_instances(sample):
                if not isinstance(mask, np.ndarray):
                    raise TypeError(f'masks: must be arrays or tensors, got {type(mask).__name__}')
                png = cv2.imencode('.png', mask.astype(np.uint8) * 255)[1].tobytes()
                instances.append((label, score, png))
            self.results.append((sample['img_path'], instances))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Run the benchmark's evaluation on files in a temporary folder."""
        truths = [str(self._ground_truth(path)) for path, _ in results]
        missing = [path for path in truths if not Path(path).is_file()]
        if missing:
            raise FileNotFoundError(f'gt_dir: no such ground truth: {missing}')
        with tempfile.TemporaryDirectory() as folder:
            predictions = [
                self._write(Path(folder), number, instances)
                for number, (_, instances) in enumerate(results)
            ]
            averages = self._evaluate(predictions, truths, Path(folder))
        return {'ap': 100 * float(averages['allAp']), 'ap50': 100 * float(averages['allAp50%'])}

    def _ground_truth(self, image: str) -> Path:
        path = Path(image)
        name = path.stem.removesuffix('_leftImg8bit') + '_gtFine_instanceIds.png'
        if self.gt_dir is not None:
            return Path(self.gt_dir) / path.parent.name / name
        return Path(str(path.parent).replace('leftImg8bit', 'gtFine')) / name

    def _write(self, folder: Path, number: int, instances: list) -> str:
        lines = []
        for i, (label, score, png) in enumerate(instances):
            name = f'{number}_{i}.png'
            (folder / name).write_bytes(png)
            lines.append(f'{name} {self._label_id(label)} {score!r}\n')
        listing = folder / f'{number}.txt'
        listing.write_text(''.join(lines))
        return str(listing)

    def _label_id(self, label: int) -> int:
        name = self.dataset_meta['classes'][label]
        ids = {entry.name: entry.id for entry in self._script.labels}
        if name not in ids:
            raise ValueError(f'classes: {name!r} is not a Cityscapes label, which are {list(ids)}')
        return ids[name]

    def _evaluate(self, predictions: list[str], truths: list[str], folder: Path) -> dict:
        # The steps of the script's evaluateImgLists, which leaves a file in the current folder.
        script, args = self._script, copy.copy(self._script.args)
        args.quiet, args.predictionPath = True, str(folder.resolve())
        args.gtInstancesFile = str(folder / 'gtInstances.json')
        script.setInstanceLabels(args)
        with _numpy_in1d():
            instances = script.getGtInstances(truths, args)
            matches = script.matchGtWithPreds(predictions, truths, instances, args)
        return script.computeAverages(script.evaluateMatches(matches, args), args)


@contextmanager
def _numpy_in1d() -> Iterator[None]:
    """``np.in1d`` for cityscapesscripts where numpy (2.4) has it no longer."""
    if hasattr(np, 'in1d'):
        yield
        return
    np.in1d = np.isin  # noqa: NPY201
    try:
        yield
    finally:
        del np.in1d  # noqa: NPY201
