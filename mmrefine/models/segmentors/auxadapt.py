"""AuxAdapt: a small network adapts online so that decisions stay (arXiv 2110.12369).

Shape legend: N = batch; K = classes; H, W = what the main network sees.
"""

import copy
import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmengine.structures import BaseDataElement
from mmseg.models.segmentors import BaseSegmentor
from mmseg.structures import SegDataSample
from mmseg.utils import OptSampleList, SampleList
from torch import Tensor, nn

from ...ops import frame_key
from ...ops.frame_names import LAST_NUMBER, check_pattern
from ...registry import MODELS
from ..checkpoint import load_weights, read_checkpoint

LOSS_ON = ('aux', 'sum')


@MODELS.register_module()
class AuxAdaptSegmentor(BaseSegmentor):
    """A frozen network and a small one that learns from what both decide, frame by frame.

    The output is the sum of both networks' logits. Its labels are what the auxiliary network is
    trained on, one step of SGD a frame, after the frame's output was taken. So it learns to repeat
    decisions that were made before, and labels flicker less. The main network never changes.

    Around any mmseg model in a config, with the checkpoint of that model as it is::

        model = dict(type='mmrefine.AuxAdaptSegmentor', main=_base_.model, _delete_=True)

    or from outside, by ``mmrefine.OnlineAdaptationHook``. Frames must come in the order of their
    video, one video at a time; ``mmrefine.VideoSampler`` sees to it. A new video, or a video's
    first frame again, puts the auxiliary network back to where it started.

    From the paper: the sum of logits, one update a frame, the main network frozen. Not printed
    there, after two public ports: cross-entropy on the auxiliary output alone, SGD. Ours: the
    learning rate, statistics of batch norm that stay as trained, half the image size for a small
    auxiliary network, and labels and loss at the size that it sees, which the update's time and
    memory follow.

    Args:
        main: Config of an mmseg segmentor, or one that is built. Needs a method ``inference``, as
            ``EncoderDecoder`` has, and at least two classes.
        aux: The same for the auxiliary network; ``None`` takes a copy of the main network, which
            needs no training of its own.
        aux_checkpoint: Weights of ``aux``.
        aux_scale: Size of what the auxiliary network sees, as a share of the main network's. By
            default a half; 1 of a copy of the main network, which learned at that size.
        lr, momentum, weight_decay: Of SGD. A learning rate of 0 never adapts.
        loss_on: ``'aux'``: cross-entropy of the auxiliary logits; ``'sum'``: of the sum.
        norm_eval: Whether batch norm uses its trained statistics; else those of the frame.
        update_every: Learn from every n-th frame of a video only.
        pattern: How video and number of a frame are read from ``img_path``, as for
            ``mmrefine.ops.frame_key``.

    Raises:
        TypeError: if ``main`` is no segmentor with ``inference``.
        ValueError: if an option is out of range, the weights do not fit, or the two networks
            normalise images differently; while running, if frames are out of order or of another
            size than the frames before, or adaptation diverged.
    """

    def __init__(
        self,
        main: Mapping | nn.Module,
        aux: Mapping | nn.Module | None = None,
        aux_checkpoint: str | os.PathLike | None = None,
        aux_scale: float | None = None,
        lr: float = 0.0001,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        loss_on: str = 'aux',
        norm_eval: bool = True,
        update_every: int = 1,
        pattern: str = LAST_NUMBER,
    ) -> None:
        self.copies = aux is None and aux_checkpoint is None
        if aux_scale is None:
            aux_scale = 1.0 if self.copies else 0.5
        if not 0 < aux_scale <= 1:
            raise ValueError(f'aux_scale: must be above 0 and at most 1, got {aux_scale}')
        if loss_on not in LOSS_ON:
            raise ValueError(f'loss_on: must be one of {", ".join(LOSS_ON)}, got {loss_on!r}')
        if not isinstance(update_every, int) or update_every < 1:
            raise ValueError(f'update_every: must be a whole number from 1, got {update_every!r}')
        if not lr >= 0:
            raise ValueError(f'lr: must be 0 or more, got {lr}')
        check_pattern(pattern)
        network = _segmentor(main, 'main')
        super().__init__(data_preprocessor=network.data_preprocessor)
        self.main: Any = network
        self.aux: Any = copy.deepcopy(network) if aux is None else _segmentor(aux, 'aux')
        _check_same_input(self.main, self.aux)
        if aux_checkpoint is not None:
            _fill(self.aux, aux_checkpoint)
        elif isinstance(aux, Mapping):
            self.aux.init_weights()
        self.aux_scale, self.lr, self.momentum = aux_scale, lr, momentum
        self.weight_decay, self.loss_on, self.norm_eval = weight_decay, loss_on, norm_eval
        self.update_every, self.pattern = update_every, pattern
        self.main.requires_grad_(False)
        self.aux.requires_grad_(True)
        self.updates = 0
        self._initial: dict[str, Tensor] | None = None
        self._optimizer: torch.optim.Optimizer | None = None
        self._firsts: dict[str, int] = {}  # of each video, its first frame
        self._forget()
        self._register_load_state_dict_pre_hook(self._adopt)
        self.train(False)

    def train(self, mode: bool = True) -> 'AuxAdaptSegmentor':
        """Neither network ever trains as in training; batch norm as ``norm_eval`` says."""
        super().train(False)
        if not self.norm_eval:
            for module in self.aux.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.train()
        return self

    def init_weights(self) -> None:
        """Initialise the main network as its config says; the auxiliary one was when built."""
        self.main.init_weights()
        if self.copies:
            self.aux.load_state_dict(self.main.state_dict())
        self._initial = None

    def reset(self) -> None:
        """Put the auxiliary network back to where it was before the first frame of any video."""
        self._firsts.clear()
        self._restart()

    def _restart(self) -> None:
        if self._initial is not None:
            self.aux.load_state_dict(self._initial)
        self._forget()

    def _forget(self) -> None:
        self._optimizer = None
        self._video: str | None = None
        self._number = self._frames = 0
        self._size_hw: tuple[int, ...] | None = None

    def predict(self, inputs: Tensor, data_samples: OptSampleList = None) -> SampleList:
        """Labels of frames (N, 3, H, W), one after the other; each is learned from in turn."""
        samples: Sequence[BaseDataElement] = data_samples or [
            SegDataSample(metainfo=_meta(inputs.shape[2:])) for _ in inputs
        ]
        with torch.inference_mode(False):
            logits = [
                self._predict_frame(frame[None], sample)
                for frame, sample in zip(inputs, samples, strict=True)
            ]
        return self.main.postprocess_result(torch.cat(logits), data_samples)

    def _predict_frame(self, frame: Tensor, sample: BaseDataElement) -> Tensor:
        """Sum of the logits, (1, K, H, W), before this frame's update."""
        path = sample.metainfo.get('img_path')
        if path is not None:
            self._enter(str(path))
        if self._size_hw not in (None, frame.shape[2:]):
            raise ValueError(
                f'{path}: this frame reaches the network as {tuple(frame.shape[2:])}, those before '
                f'as {self._size_hw}: frames of one video must be of one size'
            )
        self._size_hw = tuple(frame.shape[2:])
        with torch.no_grad():
            main = self.main.inference(frame, [dict(sample.metainfo)]).float()
        learns = self.lr > 0 and self._frames % self.update_every == 0
        self._frames += 1
        with (
            torch.set_grad_enabled(learns),
            torch.autocast(frame.device.type, enabled=False),
        ):
            size = [max(1, round(side * self.aux_scale)) for side in frame.shape[2:]]
            small = _resized(frame.float(), size).clone()  # the frame may be of inference mode
            aux = self._aux_logits(small, main.shape[1])
            if learns:
                self._update(_resized(main, size), _resized(aux, size), path)
        return main + _resized(aux.detach(), main.shape[2:])

    def _enter(self, path: str) -> None:
        """Note the frame; start anew where a video begins."""
        video, number = frame_key(path, self.pattern)
        first = self._firsts.setdefault(video, number)
        if number == first:
            self._restart()
        elif video != self._video or number <= self._number:
            raise ValueError(
                f'{path}: frames must come in order, one video at a time, from frame {first} on; '
                "use sampler=dict(type='mmrefine.VideoSampler'), and pattern to read other names"
            )
        self._video, self._number = video, number

    def _aux_logits(self, small: Tensor, classes: int) -> Tensor:
        if classes < 2:
            raise ValueError('main: must have two classes or more, got one with a sigmoid')
        logits = self.aux(small, mode='tensor')
        if not isinstance(logits, Tensor) or logits.shape[1] != classes:
            found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ValueError(
                f'aux: must give logits of the {classes} classes of main, (N, K, h, w); got {found}'
            )
        return logits

    def _update(self, main: Tensor, aux: Tensor, path: Any) -> None:
        """One step on the logits of both networks, at the size that the auxiliary one sees."""
        if self._initial is None:
            self._initial = copy.deepcopy(self.aux.state_dict())
        if self._optimizer is None:
            self._optimizer = torch.optim.SGD(
                self.aux.parameters(),
                self.lr,
                self.momentum,
                weight_decay=self.weight_decay,
                foreach=True,
            )
        both = main + aux
        labels = both.max(1).indices  # as argmax, in a quarter of its time on a CPU
        loss = F.cross_entropy(both if self.loss_on == 'sum' else aux, labels)
        if not loss.isfinite():
            raise ValueError(f'{path}: adaptation diverged; lr: must be lower than {self.lr}')
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self.updates += 1

    def _adopt(self, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
        """Take the checkpoint of the main network alone as it is."""
        main, aux = f'{prefix}main.', f'{prefix}aux.'
        if not any(key.startswith((main, aux)) for key in state_dict):
            for key in [key for key in state_dict if key.startswith(prefix)]:
                state_dict[main + key.removeprefix(prefix)] = state_dict.pop(key)
        if not any(key.startswith(aux) for key in state_dict):
            if self.copies:
                copied = {k: v for k, v in state_dict.items() if k.startswith(main)}
                state_dict.update({aux + k.removeprefix(main): v for k, v in copied.items()})
            else:
                state_dict.update({aux + k: v for k, v in self.aux.state_dict().items()})
        self._initial = None
        self._forget()

    def extract_feat(self, inputs: Tensor) -> Any:
        """Features of the main network."""
        return self.main.extract_feat(inputs)

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Logits of the main network."""
        return self.main.encode_decode(inputs, batch_img_metas)

    def _forward(self, inputs: Tensor, data_samples: OptSampleList = None) -> Any:
        return self.main._forward(inputs, data_samples)

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict:
        """Not used.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            'AuxAdaptSegmentor adapts while testing; train main and aux by themselves'
        )


def _resized(maps: Tensor, size_hw: Sequence[int]) -> Tensor:
    return F.interpolate(maps, list(size_hw), mode='bilinear', align_corners=False)


def _meta(size_hw: torch.Size) -> dict:
    shapes = dict.fromkeys(('ori_shape', 'img_shape', 'pad_shape'), size_hw)
    return dict(shapes, padding_size=[0] * 4)


def _segmentor(model: Mapping | nn.Module, name: str) -> Any:
    built = model if isinstance(model, nn.Module) else MODELS.build(ConfigDict(model))
    if not hasattr(built, 'inference') or not hasattr(built, 'postprocess_result'):
        raise TypeError(
            f'{name}: must be a segmentor such as mmseg.EncoderDecoder, got {type(built).__name__}'
        )
    return built


def _check_same_input(main: Any, aux: Any) -> None:
    """The auxiliary network sees what the main network's preprocessor makes."""
    for name in ('mean', 'std'):
        first, second = (getattr(m.data_preprocessor, name, None) for m in (main, aux))
        if first is None or second is None:
            continue
        if not torch.equal(first.cpu(), second.cpu()):
            raise ValueError(
                f'aux: must normalise images as main does; its {name} is '
                f'{second.flatten().tolist()}, that of main {first.flatten().tolist()}'
            )


def _fill(aux: nn.Module, checkpoint: str | os.PathLike) -> None:
    """Load weights; heads that only training uses may differ."""
    weights = read_checkpoint(checkpoint)['state_dict']
    if not getattr(aux, 'with_auxiliary_head', False):
        weights = {k: v for k, v in weights.items() if not k.startswith('auxiliary_head')}
    load_weights(aux, weights, checkpoint)
