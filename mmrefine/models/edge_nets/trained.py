"""Edge networks that are trained: those the package ships, and others' files."""

import os
from pathlib import Path

from ..checkpoint import build_model, read_checkpoint
from .semantic_edge_net import SemanticEdgeNet

WEIGHTS = Path(__file__).parents[2] / 'weights'
SHIPPED = {11: 'camvid', 19: 'cityscapes', 21: 'voc', 150: 'ade20k'}
# Below it, a net does not find edges, and matching its embeddings teaches nothing about them.
LEAST_FSCORE = 90.0


def load_edge_net(edge_net: int | str | os.PathLike) -> SemanticEdgeNet:
    """Load a trained edge network.

    Args:
        edge_net: Number of classes, 11, 19, 21 or 150, or the name of a data set with as many:
            ``'camvid'``, ``'cityscapes'``, ``'voc'``, ``'ade20k'``; or a file that
            ``tools/publish_checkpoint.py`` made with ``--meta edge_fscore=...``.

    Returns:
        The network, on the CPU.

    Raises:
        ValueError: if there is no such network; if the file is broken or of another model; if
            the edge F-score that it names is missing or below 90 %.
    """
    path = _path(edge_net)
    meta = read_checkpoint(path)['meta']
    _check_fscore(meta.get('edge_fscore'), path)
    network = build_model(None, path)
    if not isinstance(network, SemanticEdgeNet):
        raise ValueError(
            f'edge_net: {path} holds a {type(network).__name__}, expected a SemanticEdgeNet'
        )
    return network


def _path(edge_net: int | str | os.PathLike) -> Path:
    name = SHIPPED.get(edge_net) if isinstance(edge_net, int) else edge_net
    if name in SHIPPED.values():
        classes = next(number for number, known in SHIPPED.items() if known == name)
        return WEIGHTS / f'edge-net_{classes}-classes.pth'
    if isinstance(name, str | os.PathLike) and Path(name).is_file():
        return Path(name)
    known = ', '.join(f'{number} ({name})' for number, name in SHIPPED.items())
    raise ValueError(
        f'edge_net: expected a number of classes, {known}, or a published checkpoint, got '
        f'{edge_net!r}. For other numbers train one: '
        'configs/semeda/edge-net-19_1xb8-500_drawn-64x64.py'
    )


def _check_fscore(text: str | None, path: Path) -> None:
    advice = (
        'Train it until edge/fscore is above 98 and publish it: tools/publish_checkpoint.py CONFIG '
        'CHECKPOINT OUT --meta edge_fscore=FSCORE'
    )
    try:
        fscore = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(
            f'edge_net: {path} does not tell its edge F-score (edge_fscore, per cent, in its '
            f'meta, got {text!r}): it may never have been trained. {advice}'
        ) from None
    if not LEAST_FSCORE <= fscore <= 100:
        raise ValueError(
            f'edge_net: {path} has an edge F-score of {fscore:g} %, expected {LEAST_FSCORE:g} '
            f'or more: it was not trained enough to know edges. {advice}'
        )
