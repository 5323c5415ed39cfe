"""What makes BPR's network faster on a CPU: layouts, folded norms, number formats, onnxruntime.

    python benchmarks/network_speed.py [--threads 1] [--rounds 9]

All forms see the same patches of drawn scenes and take turns. Columns: processor milliseconds for
a batch of 32, best of the rounds; how many pixels change sides; the largest difference of a
probability.
"""

import argparse
import importlib
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from drawn import draw_image, draw_masks
from torch import Tensor

from mmrefine.models.checkpoint import build_model
from mmrefine.refiners import BPRRefiner
from mmrefine.refiners.export import OnnxPredictor, onnx_bytes

Predict = Callable[[Tensor], Tensor]
BATCH = 32


def patches(number: int) -> Tensor:
    """Inputs of the network (number, C, S, S), channels last, of drawn masks on a drawn image."""
    refiner = BPRRefiner(device='cpu', batch_size=number)
    found: list[Tensor] = []

    def listen(inputs: Tensor) -> Tensor:
        found.append(inputs)
        return torch.zeros(len(inputs), 2, *inputs.shape[2:])

    refiner._forward = listen  # type: ignore[method-assign]
    refiner.refine(draw_image((1024, 2048)), draw_masks(15))
    return found[0]


def torch_forms() -> dict[str, Predict]:
    """The network in torch."""
    plain = build_model(None, BPRRefiner.shipped)
    last = build_model(None, BPRRefiner.shipped).to(memory_format=torch.channels_last)
    shipped = BPRRefiner(device='cpu').model

    def in_bfloat16(inputs: Tensor) -> Tensor:
        with torch.autocast('cpu', torch.bfloat16):
            return shipped.predict_probabilities(inputs).float()

    return {
        'channels first, norms kept': lambda x: plain.predict_probabilities(x.contiguous()),
        'channels last, norms kept': last.predict_probabilities,
        'channels last, norms folded (default)': shipped.predict_probabilities,
        'bfloat16 (half=True)': in_bfloat16,
    }


def onnx_forms(inputs: Tensor) -> dict[str, Predict]:
    """The network in onnxruntime, if that is installed: float32 and, quantized, int8."""
    try:
        tools = importlib.import_module('onnxruntime.quantization')
    except ImportError:
        return {}
    content = onnx_bytes(build_model(None, BPRRefiner.shipped))
    forms: dict[str, Predict] = {'onnxruntime, float32': OnnxPredictor(content)}

    class Patches(tools.CalibrationDataReader):
        def __init__(self) -> None:
            self.rest = iter(np.split(inputs.contiguous().numpy(), len(inputs) // 8))

        def get_next(self) -> dict[str, np.ndarray] | None:
            part = next(self.rest, None)
            return None if part is None else dict(inputs=part)

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, 'float.onnx'), Path(folder, 'int8.onnx')
        source.write_bytes(content)
        tools.quantize_static(str(source), str(target), Patches(), per_channel=True)
        forms['onnxruntime, int8'] = OnnxPredictor(target)
    return forms


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--rounds', type=int, default=9)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    inputs = patches(BATCH)
    forms = torch_forms() | onnx_forms(inputs)
    best, answers = dict.fromkeys(forms, math.inf), {}
    with torch.inference_mode():
        for _ in range(args.rounds + 1):
            for name, predict in forms.items():
                start = time.process_time()
                answers[name] = predict(inputs)
                best[name] = min(best[name], time.process_time() - start)
    first = next(iter(answers.values()))
    print('| | ms | times as fast | pixels that change sides | largest difference |')
    print('|---|---|---|---|---|')
    reference = next(iter(best.values()))
    for name, seconds in best.items():
        other = ((answers[name][:, 0] > 0.5) != (first[:, 0] > 0.5)).float().mean()
        most = (answers[name] - first).abs().max()
        times = f'{1000 * seconds:.1f} | {reference / seconds:.2f}'
        print(f'| {name} | {times} | {100 * other:.2f} % | {most:.4f} |')


if __name__ == '__main__':
    main()
