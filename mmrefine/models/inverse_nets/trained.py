"""Inverse networks that are trained: the one the package ships, and others' files."""

import os
from pathlib import Path

from ..checkpoint import build_model, read_checkpoint
from .inverse_transform_net import InverseTransformNet

WEIGHTS = Path(__file__).parents[2] / 'weights'
SHIPPED = {'drawn': 'inverse-net_32.pth'}
# Share of the transform that is left when the estimate is taken off, per cent. A net that was
# never trained leaves about all of it.
MOST_LEFT = 70.0


def load_inverse_net(inverse_net: str | os.PathLike) -> InverseTransformNet:
    """Load a trained inverse network.

    Args:
        inverse_net: ``'drawn'``, the shipped one, trained on drawn label maps; or a file that
            ``tools/publish_checkpoint.py`` made with ``--meta relative_error=...``; or the
            authors' network, converted.

    Returns:
        The network, on the CPU.

    Raises:
        ValueError: if there is no such network; if the file is broken or of another model; if
            the relative error that it names is missing or too large.
    """
    path = _path(inverse_net)
    meta = read_checkpoint(path)['meta']
    if 'converted_from' not in meta:  # trained by the authors, in units that are not published
        _check_error(meta.get('relative_error'), path)
    network = build_model(None, path)
    if not isinstance(network, InverseTransformNet):
        raise ValueError(
            f'inverse_net: {path} holds a {type(network).__name__}, expected an InverseTransformNet'
        )
    return network


def _path(inverse_net: str | os.PathLike) -> Path:
    if isinstance(inverse_net, str) and inverse_net in SHIPPED:
        return WEIGHTS / SHIPPED[inverse_net]
    if isinstance(inverse_net, str | os.PathLike) and Path(inverse_net).is_file():
        return Path(inverse_net)
    raise ValueError(
        f'inverse_net: expected {", ".join(map(repr, SHIPPED))} or a published checkpoint, got '
        f'{inverse_net!r}. Train one of your own with a config like '
        'configs/inverseform/inverse-net-32_1xb64-400_drawn-32x32.py'
    )


def _check_error(text: str | None, path: Path) -> None:
    advice = (
        'Train it until transform/relative_error is well below '
        f'{MOST_LEFT:g} and publish it: tools/publish_checkpoint.py CONFIG CHECKPOINT OUT '
        '--meta relative_error=ERROR'
    )
    try:
        error = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(
            f'inverse_net: {path} does not tell its error (relative_error, per cent, in its '
            f'meta, got {text!r}): it may never have been trained. {advice}'
        ) from None
    if not 0 <= error <= MOST_LEFT:
        raise ValueError(
            f'inverse_net: {path} has a relative error of {error:g} %, expected {MOST_LEFT:g} or '
            f'less: it was not trained enough to know transforms. {advice}'
        )
