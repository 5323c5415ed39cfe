"""Networks of refiners as ONNX and TorchScript files, and ONNX files back in refiners.

What is exported is ``predict_probabilities`` of a network: normalised images (N, C, H, W) of any
number and size → probabilities at the same size. An exported file carries its model config, with
which the same pre- and post-processing is built around it again.
"""

import contextlib
import copy
import importlib
import inspect
import io
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import torch
from mmseg.models.utils import Upsample
from torch import Tensor, nn

from ..files.whole_files import write_whole_file
from ..models.checkpoint import build_without_weights
from .base import Refiner

OPSET = 17
SUFFIXES = ('.onnx', '.pt')
CONFIG_KEY = 'mmrefine_model'
EXAMPLE_SIZE = (2, 64, 96)  # batch, height, width; any others may be given to the file
# The axes that a file leaves free, by the number of dimensions.
FREE_AXES = {
    3: {0: 'n', 1: 'height', 2: 'width'},
    4: {0: 'n', 2: 'height', 3: 'width'},
}


class ExportableNetwork(Protocol):
    """What a refiner's ``model`` is if it can be exported: a module built from a config.

    Attributes:
        model_cfg: Its config. The data preprocessor in it may say ``num_channels``; else 3.
    """

    model_cfg: Mapping[str, Any]

    def predict_probabilities(self, inputs: Tensor) -> Tensor:
        """Normalised images (N, C, H, W) → probabilities (N, H, W) or (N, classes, H, W)."""


class _Network(nn.Module):
    """``predict_probabilities`` as the forward of a copy that can be traced for any size."""

    def __init__(self, model: ExportableNetwork) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).cpu().float().eval()  # type: ignore[attr-defined]
        _use_torch_upsample(self.model)

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, C, H, W) → (N, H, W) or (N, classes, H, W)."""
        return self.model.predict_probabilities(inputs)


def _use_torch_upsample(module: nn.Module) -> None:
    """Replace mmseg's Upsample: its size is worked out in Python, which a trace would keep."""
    for name, child in module.named_children():
        if isinstance(child, Upsample):
            same = nn.Upsample(None, child.scale_factor, child.mode, child.align_corners)
            setattr(module, name, same)
        else:
            _use_torch_upsample(child)


def export_refiner(refiner: Refiner, out: str | os.PathLike) -> None:
    """Write the network of a refiner as ONNX or TorchScript.

    Args:
        refiner: From ``mmrefine.apis.build_refiner``.
        out: File to write, ``.onnx`` or ``.pt`` (TorchScript).

    Raises:
        ValueError: if ``out`` has another suffix.
        TypeError: if the refiner has no network of this package built from a config.
        ImportError: if onnx is not installed and needed.
    """
    suffix = Path(out).suffix
    if suffix not in SUFFIXES:
        raise ValueError(f'out: expected a name that ends in {" or ".join(SUFFIXES)}, got {out}')
    model = _network_of(refiner)
    if isinstance(model.predict_probabilities, OnnxPredictor):
        raise TypeError('refiner: its network comes from an ONNX file; export the original')
    content = onnx_bytes(model) if suffix == '.onnx' else torchscript_bytes(model)
    write_whole_file(out, content)


def onnx_bytes(model: ExportableNetwork) -> bytes:
    """Content of an ONNX file; input ``inputs``, output ``probabilities``."""
    onnx = _needed('onnx')
    network, example = _Network(model), _example(model)
    with torch.no_grad():
        axes = dict(inputs=FREE_AXES[4], probabilities=FREE_AXES[network(example).ndim])
    # The other exporter needs minutes for an HRNet, and older versions of torch do not have it.
    has_both = 'dynamo' in inspect.signature(torch.onnx.export).parameters
    options: dict[str, Any] = dict(dynamo=False) if has_both else {}
    buffer = io.BytesIO()
    with _quiet():
        torch.onnx.export(
            network,
            (example,),
            buffer,  # type: ignore[arg-type]
            input_names=['inputs'],
            output_names=['probabilities'],
            dynamic_axes=axes,
            opset_version=OPSET,
            **options,
        )
    proto = onnx.load_from_string(buffer.getvalue())
    onnx.helper.set_model_props(proto, {CONFIG_KEY: _config_text(model)})
    return proto.SerializeToString()


def torchscript_bytes(model: ExportableNetwork) -> bytes:
    """Content of a TorchScript file, whose extra file ``mmrefine_model`` is the model config."""
    buffer = io.BytesIO()
    with _quiet():
        traced = torch.jit.trace(_Network(model), _example(model), check_trace=False)
        torch.jit.save(traced, buffer, _extra_files={CONFIG_KEY: _config_text(model)})
    return buffer.getvalue()


class OnnxPredictor:
    """``predict_probabilities`` of a network, computed by onnxruntime on the CPU.

    It uses as many threads as torch does.

    Args:
        content: An exported ONNX file or what is in it.

    Raises:
        ImportError: if onnxruntime is not installed.
        ValueError: if the file is not there or none that this package exported.
    """

    def __init__(self, content: bytes | str | os.PathLike) -> None:
        runtime = _needed('onnxruntime')
        source = content if isinstance(content, bytes) else os.fspath(content)
        if not isinstance(source, bytes) and not Path(source).is_file():
            raise ValueError(f'checkpoint: expected an ONNX file, {source} is none')
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors
        try:
            self.session = runtime.InferenceSession(
                source, options, providers=['CPUExecutionProvider']
            )
        except Exception as error:  # onnxruntime's own classes differ between versions
            reason = str(error).splitlines()[0]
            raise ValueError(f'checkpoint: {source!r:.200} is no ONNX file: {reason}') from error

    def __call__(self, inputs: Tensor, part_of: Sequence[int] | None = None) -> Tensor:
        """Probabilities, float32, of normalised images (N, C, H, W).

        What is ``part_of`` a larger image is looked at as an image of its own.
        """
        images = inputs.float().contiguous().numpy()
        return torch.from_numpy(self.session.run(None, {'inputs': images})[0])

    def model_cfg(self) -> dict[str, Any]:
        """Model config in the file.

        Raises:
            ValueError: if there is none.
        """
        text = self.session.get_modelmeta().custom_metadata_map.get(CONFIG_KEY)
        if text is None:
            raise ValueError('checkpoint: the ONNX file was not written by mmrefine export')
        return json.loads(text)


def network_from_onnx(path: str | os.PathLike) -> nn.Module:
    """Network whose probabilities come from an exported ONNX file.

    Raises:
        ImportError, ValueError: as ``OnnxPredictor``.
    """
    predictor = OnnxPredictor(path)
    network = build_without_weights(predictor.model_cfg(), f'checkpoint: the config in {path}')
    network.predict_probabilities = predictor  # type: ignore[assignment]
    return network


def run_on_onnxruntime(refiner: Refiner) -> None:
    """Let the network of a refiner compute its probabilities with onnxruntime from now on.

    Raises:
        TypeError, ImportError: as ``export_refiner``.
    """
    model = _network_of(refiner)
    if not isinstance(model.predict_probabilities, OnnxPredictor):
        model.predict_probabilities = OnnxPredictor(onnx_bytes(model))  # type: ignore[method-assign]


def _network_of(refiner: Refiner) -> ExportableNetwork:
    model: Any = getattr(refiner, 'model', None)
    if not callable(getattr(model, 'predict_probabilities', None)):
        raise TypeError(
            f'refiner: {type(refiner).__name__} has no network with predict_probabilities'
        )
    if not isinstance(getattr(model, 'model_cfg', None), Mapping):
        raise TypeError('refiner: its network was not built from a config; use build_refiner')
    return model


def _example(model: ExportableNetwork) -> Tensor:
    channels = getattr(getattr(model, 'data_preprocessor', None), 'num_channels', 3)
    number, height, width = EXAMPLE_SIZE
    return torch.zeros(number, channels, height, width)


def _config_text(model: ExportableNetwork) -> str:
    return json.dumps(model.model_cfg)


def _needed(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{name} is needed and not installed: pip install 'mmrefine[export]'"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Tracing warns of every size that Python looks at; that sizes stay free is tested."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield
