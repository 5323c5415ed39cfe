"""Finds the clusters of classes that each supervised layer of a network can carry (HS3).

Legend: K classes, S supervised layers: the auxiliary heads, first to last, and the decode head.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmseg.models.segmentors import EncoderDecoder
from torch import nn
from torch.utils.data import DataLoader, Subset

from ..files.json_files import read_json
from ..files.whole_files import write_whole_file
from ..models.checkpoint import build_model
from ..ops.label_clusters import choose_cluster_counts, class_linkage, cluster_curve, cut_linkage
from ..registry import DATASETS
from .cluster_plots import cluster_figure

STATE = 'confusions.json'
SAVE_EVERY = 50


def derive_clusters(
    config: str | os.PathLike,
    checkpoint: str | os.PathLike,
    out: str | os.PathLike,
    device: str | None = None,
    tell: Callable[[int, int], object] = lambda done, total: None,
) -> dict[str, Any]:
    """Run a probe model over its validation set and write the label maps that HS3 trains with.

    The model must have an auxiliary head with all classes on each layer to supervise. What was
    counted lies in ``OUT/confusions.json``; the same call goes on from there.

    Args:
        config: Config of the probe model, with a ``val_dataloader``.
        checkpoint: Its weights.
        out: Folder for ``clusters.json`` and ``clusters.png``.
        device: Such as ``'cuda'``; by default a GPU if there is one.
        tell: Called with how many images are done, and how many there are.

    Returns:
        What ``clusters.json`` holds.

    Raises:
        ValueError: if the model has not the heads it needs, config, checkpoint or data do not fit,
            or the folder holds what another model or data set counted.
    """
    folder = Path(out)
    cfg = Config.fromfile(config)
    if cfg.get('val_dataloader') is None:
        raise ValueError(f'config: {config} has no val_dataloader')
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    model = build_model(config, checkpoint)
    heads = supervised_heads(model)
    dataset = DATASETS.build(cfg.val_dataloader.dataset)
    number = int(model.decode_head.num_classes)  # type: ignore[arg-type, union-attr]
    classes = list(dataset.metainfo.get('classes') or map(str, range(number)))
    if len(classes) != number:
        raise ValueError(f'config: the data set has {len(classes)} classes, the model {number}')
    digest = hashlib.sha256(Path(checkpoint).read_bytes()).hexdigest()
    source = dict(checkpoint=digest, images=len(dataset), layers=len(heads), classes=classes)
    device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    confusions = _count(model.to(device), heads, dataset, folder / STATE, source, tell)
    result = clusters_of(confusions, list(heads), classes)
    write_whole_file(folder / 'clusters.png', cluster_figure(confusions, result))
    write_whole_file(folder / 'clusters.json', json.dumps(result, indent=1).encode())
    return result


def supervised_heads(model: nn.Module) -> dict[str, nn.Module]:
    """Auxiliary heads and decode head of a model, by name.

    Raises:
        ValueError: if it is no model with one decode head, has no auxiliary head, or one of them
            does not have all classes.
    """
    if not isinstance(model, EncoderDecoder) or isinstance(model.decode_head, nn.ModuleList):
        raise ValueError(
            f'config: expected a model like EncoderDecoder, with one decode head, '
            f'got {type(model).__name__}'
        )
    given = getattr(model, 'auxiliary_head', None)
    if given is None:
        raise ValueError(
            'config: the model has no auxiliary_head; a probe model needs one with all classes, '
            'such as mmseg.FCNHead, on each layer to supervise'
        )
    several = isinstance(given, nn.ModuleList)
    heads = (
        {f'auxiliary_head.{index}': head for index, head in enumerate(given)}
        if several
        else {'auxiliary_head': given}
    )
    for name, head in heads.items():
        if head.num_classes != model.num_classes:
            raise ValueError(
                f'config: {name} has {head.num_classes} classes, the decode head '
                f'{model.num_classes}; a probe model needs all classes in every head'
            )
    return heads | {'decode_head': model.decode_head}


def clusters_of(
    confusions: Sequence[np.ndarray], layers: Sequence[str], classes: Sequence[str]
) -> dict[str, Any]:
    """Label maps of all layers, as ``clusters.json`` holds them.

    Args:
        confusions: (K, K) of each layer, first to last; the last is the decode head's.
        layers: Their names.
        classes: K names.
    """
    curves = [cluster_curve(confusion) for confusion in confusions]
    counts = choose_cluster_counts(curves)
    found = []
    for name, confusion, curve, count in zip(layers, confusions, curves, counts, strict=True):
        label_map = cut_linkage(class_linkage(confusion), count).tolist()
        groups: list[list[str]] = [[] for _ in range(count)]
        for label, cluster in zip(classes, label_map, strict=True):
            groups[cluster].append(label)
        found.append(
            dict(
                name=name,
                num_clusters=count,
                label_map=label_map,
                clusters=groups,
                miou={str(k): round(float(m), 6) for k, m in enumerate(curve, start=2)},
            )
        )
    return dict(classes=list(classes), layers=found)


def _count(
    model: EncoderDecoder,
    heads: Mapping[str, nn.Module],
    dataset: Any,
    state: Path,
    source: dict[str, Any],
    tell: Callable[[int, int], object],
) -> list[np.ndarray]:
    """Confusion matrices of all heads; goes on from what ``state`` holds."""
    number = model.num_classes
    done, confusions = 0, [np.zeros((number, number), np.int64) for _ in heads]
    if state.is_file():
        saved = read_json(state)
        if saved.get('source') != source:
            raise ValueError(
                f'out: {state} was counted with another checkpoint or data set; '
                'take another folder, or delete it'
            )
        done, confusions = saved['done'], [np.array(c) for c in saved['confusions']]
    loader = DataLoader(Subset(dataset, range(done, len(dataset))), collate_fn=pseudo_collate)
    for batch in loader:
        for confusion, found in zip(confusions, _confusions(model, heads, batch), strict=True):
            confusion += found
        done += 1
        if done % SAVE_EVERY == 0 or done == len(dataset):
            content = dict(source=source, done=done, confusions=[c.tolist() for c in confusions])
            write_whole_file(state, json.dumps(content).encode())
        tell(done, len(dataset))
    return confusions


@torch.inference_mode()
def _confusions(
    model: EncoderDecoder, heads: Mapping[str, nn.Module], batch: dict[str, Any]
) -> list[np.ndarray]:
    """Confusion matrix of each head on one batch; each predicts as the decode head would."""
    data = model.data_preprocessor(batch, training=False)
    own, number, found = model.decode_head, model.num_classes, []
    try:
        for head in heads.values():
            model.decode_head = head
            confusion = np.zeros((number, number), np.int64)
            for sample in model.predict(data['inputs'], data['data_samples']):
                truth = sample.gt_sem_seg.data.flatten().cpu().numpy()
                guess = sample.pred_sem_seg.data.flatten().cpu().numpy()
                known = truth != own.ignore_index
                pairs = truth[known].astype(np.int64) * number + guess[known]
                confusion += np.bincount(pairs, minlength=number**2).reshape(number, number)
            found.append(confusion)
    finally:
        model.decode_head = own
    return found
