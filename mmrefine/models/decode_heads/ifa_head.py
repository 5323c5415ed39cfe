"""The decode head of IFA: features as a continuous function of position (arXiv 2206.08655).

Legend: N batch, L levels, c channels of a level, h w its size, H W size of the grid of queries,
K classes, F frequencies, p = 2 + 4 F numbers of an encoded position.
"""

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.aspp_head import ASPPModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from torch import Tensor, nn

from ...registry import MODELS
from ..class_labels import check_labels
from .query_cells import NearCells, near_cells

GREATEST_OCTAVE = 6  # frequencies are 2 ** t, t from 0 to this
BLOCK = 2**15  # queries that are answered at once where no gradient is needed


@MODELS.register_module()
class IFAHead(BaseDecodeHead):
    r"""A small network asked at points, in place of bilinear upsampling.

    .. math:: y(x) = \mathrm{MLP}([\delta_l, \sin E_l \delta_l, \cos E_l \delta_l, z_l]_{l})

    with z_l the feature of level l in the cell that x lies in, and δ_l where in it, (y, x) within
    ±1. Levels come finest first, as backbones give them; with C2 to C5 of a ResNet and
    ``channels=256`` this is the released head.

    The first layer is linear in what it gets, so that it is applied to each level at the level's
    own size, and to each offset that occurs once; the vectors of 1128 numbers that it is a
    function of never exist.

    Args:
        in_channels, in_index: Channels of each level, and which of the backbone's outputs it is.
        channels: Of the last hidden layer of the MLP.
        level_channels: c, to which a 1×1 convolution takes each level.
        mlp_channels: Of the hidden layers before the last.
        num_frequencies: F.
        learnable_encoding: Whether the frequencies E_l are learned; at first they are powers of 2
            from 1 to 64, for y and x apart.
        query_size: Rows and columns of the grid of queries. ``None``: that of the finest level,
            answers being upsampled bilinearly, as released. ``'image'``: every pixel of the image,
            in training and in prediction; nothing is upsampled.
        ensemble: Take the four cells around a query in each level, weighted by how near they are.
            The released code means to average the answers for four cells; with levels of
            different sizes there are no weights that make that steady across the borders of all
            cells, so what the MLP gets is averaged here.
        aspp_dilations: With some, the last level goes through ASPP in place of the 1×1
            convolution: (12, 24, 36) in the released code.
        dropout_ratio: On the last hidden layer; the released head has none.
        **kwargs: Further arguments of every mmseg head.

    Raises:
        ValueError: if levels, widths or ``query_size`` are none.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        in_index: Sequence[int],
        channels: int = 256,
        level_channels: int = 256,
        mlp_channels: Sequence[int] = (512, 256),
        num_frequencies: int = 6,
        learnable_encoding: bool = True,
        query_size: tuple[int, int] | str | None = None,
        ensemble: bool = False,
        aspp_dilations: Sequence[int] | None = None,
        dropout_ratio: float = 0,
        **kwargs: Any,
    ) -> None:
        _check_levels(in_channels, in_index)
        _check_widths(channels, level_channels, mlp_channels, num_frequencies)
        super().__init__(
            in_channels,
            channels,
            in_index=in_index,
            input_transform='multiple_select',
            dropout_ratio=dropout_ratio,
            **kwargs,
        )
        self.query_size = _checked_query_size(query_size)
        self.ensemble = ensemble
        settings = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.levels = nn.ModuleList(
            ConvModule(width, level_channels, 1, **settings) for width in in_channels
        )
        if aspp_dilations is not None:
            self.levels[-1] = _ASPP(in_channels[-1], level_channels, aspp_dilations, settings)
        self.encodings = _encodings(len(in_channels), num_frequencies, learnable_encoding)
        self.position_width = 2 + 4 * num_frequencies
        widths = [len(in_channels) * (self.position_width + level_channels)]
        widths += [*mlp_channels, channels]
        self.mlp = nn.Sequential(
            *(ConvModule(a, b, 1, **settings) for a, b in itertools.pairwise(widths))
        )

    def forward(self, inputs: Sequence[Tensor], size_hw: tuple[int, int] | None = None) -> Tensor:
        """Class scores.

        Args:
            inputs: All outputs of the backbone, (N, C, h, w) each.
            size_hw: H and W of the queries, any; by default ``query_size``, or the size of the
                finest level.

        Returns:
            (N, K, H, W).

        Raises:
            ValueError: if the backbone has fewer outputs than ``in_index`` names.
        """
        if len(inputs) <= max(self.in_index):
            raise ValueError(
                f'in_index: {tuple(self.in_index)} asks for output {max(self.in_index)}, the '
                f'backbone has {len(inputs)} (0 to {len(inputs) - 1})'
            )
        features = self._transform_inputs(inputs)
        if size_hw is None:
            size_hw = tuple(features[0].shape[2:])
            if isinstance(self.query_size, tuple):
                size_hw = self.query_size
        features = [level(x) for level, x in zip(self.levels, features, strict=True)]
        return self.answer(features, size_hw)

    def loss(self, inputs: Sequence[Tensor], batch_data_samples: list, train_cfg: Any) -> dict:
        """Losses, see mmseg's heads."""
        size = None
        if self.query_size == 'image':
            size = tuple(batch_data_samples[0].gt_sem_seg.shape)
        return self.loss_by_feat(self(inputs, size), batch_data_samples)

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list) -> dict:
        """Losses of class scores, see mmseg's heads.

        Raises:
            ValueError: if a label is no class.
        """
        labels = self._stack_batch_gt(batch_data_samples)
        check_labels(labels, self.num_classes, self.ignore_index)
        return super().loss_by_feat(seg_logits, batch_data_samples)

    def predict(
        self, inputs: Sequence[Tensor], batch_img_metas: list[dict], test_cfg: Any
    ) -> Tensor:
        """Class scores at the size of the image, see mmseg's heads."""
        if self.query_size != 'image':
            return self.predict_by_feat(self(inputs), batch_img_metas)
        meta = batch_img_metas[0]
        if isinstance(meta['img_shape'], torch.Size):  # of a window
            return self(inputs, tuple(meta['img_shape']))
        return self(inputs, tuple(meta.get('pad_shape', meta['img_shape'])[:2]))

    def answer(self, features: Sequence[Tensor], size_hw: tuple[int, int]) -> Tensor:
        """Class scores (N, K, H, W) for a grid of queries.

        Args:
            features: (N, c, h, w), L of them.
            size_hw: H and W.
        """
        count, device = len(features[0]), features[0].device
        projected = self._projected(features)
        axes = [
            [near_cells(size_hw[k], x.shape[2 + k], self.ensemble, device) for k in (0, 1)]
            for x in features
        ]
        step = size_hw[0] if torch.is_grad_enabled() else max(1, BLOCK // (count * size_hw[1]))
        blocks = []
        for start in range(0, size_hw[0], step):
            block = slice(start, start + step)
            parts = (
                self._first_layer(level, maps, rows_in(block, rows), columns)
                for level, (maps, (rows, columns)) in enumerate(zip(projected, axes, strict=True))
            )
            blocks.append(self.cls_seg(self._after_first(functools.reduce(torch.add, parts))))
        return blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=2)

    @property
    def _first(self) -> Any:
        """First layer of the MLP: convolution, norm, activation."""
        return self.mlp[0]

    def _weights(self, level: int) -> tuple[Tensor, Tensor]:
        """The first layer's weights for the encoded position and the features of a level."""
        weight = self._first.conv.weight
        part = weight.shape[1] // len(self.levels)
        weight = weight[:, level * part : (level + 1) * part]
        return weight[:, : self.position_width], weight[:, self.position_width :]

    def _projected(self, features: Sequence[Tensor]) -> list[Tensor]:
        """What the first layer makes of the features, at their own size; the bias goes with one."""
        bias = self._first.conv.bias
        return [
            nn.functional.conv2d(x, self._weights(level)[1], None if level else bias)
            for level, x in enumerate(features)
        ]

    def _first_layer(
        self, level: int, maps: Tensor, rows: list[NearCells], columns: list[NearCells]
    ) -> Tensor:
        """A level's part of the first layer for a block of queries, (N, c', H, W)."""
        pairs = itertools.product(rows, columns)
        return functools.reduce(torch.add, (self._cell(level, maps, r, c) for r, c in pairs))

    def _cell(self, level: int, maps: Tensor, row: NearCells, column: NearCells) -> Tensor:
        """The same for one of the cells near each query."""
        part = maps.index_select(2, row.cell).index_select(3, column.cell)
        part = part + self._positions(level, row.offset, column.offset).to(part)
        if self.ensemble:
            part = part * (row.weight[:, None] * column.weight).to(part)
        return part

    def _positions(self, level: int, rows: Tensor, columns: Tensor) -> Tensor:
        """What the first layer makes of the offsets (H,) and (W,) of a block, (c', H, W)."""
        (y, row_of), (x, column_of) = (v.unique(return_inverse=True) for v in (rows, columns))
        delta = torch.stack(torch.meshgrid(y, x, indexing='ij'))
        encoded = encode_position(delta, self.encodings[level])
        found = nn.functional.conv2d(encoded[None], self._weights(level)[0])[0]
        return found.index_select(1, row_of).index_select(2, column_of)

    def _after_first(self, hidden: Tensor) -> Tensor:
        first = self._first
        if first.with_norm:
            hidden = first.norm(hidden)
        if first.with_activation:
            hidden = first.activate(hidden)
        return self.mlp[1:](hidden)


def rows_in(block: slice, rows: list[NearCells]) -> list[NearCells]:
    """Cells of the queries of a block of rows."""
    return [NearCells(*(value[block] for value in near)) for near in rows]


def encode_position(delta: Tensor, encoding: Tensor) -> Tensor:
    """Offsets within cells as the MLP gets them.

    Args:
        delta: (2, H, W), y and x.
        encoding: E, (2 F, 2).

    Returns:
        float32 (2 + 4 F, H, W): offsets, sines, cosines.
    """
    with torch.autocast(delta.device.type, enabled=False):
        phase = torch.einsum('fd,dhw->fhw', encoding.float(), delta.float())
        return torch.cat([delta.float(), phase.sin(), phase.cos()])


def _encodings(levels: int, num_frequencies: int, learnable: bool) -> nn.ParameterList:
    frequencies = 2 ** torch.linspace(0, GREATEST_OCTAVE, num_frequencies)
    encoding = torch.zeros(2, num_frequencies, 2)
    encoding[0, :, 0] = encoding[1, :, 1] = frequencies
    return nn.ParameterList(
        nn.Parameter(encoding.flatten(0, 1).clone(), requires_grad=learnable) for _ in range(levels)
    )


class _ASPP(nn.Module):
    """Parallel dilated convolutions and the mean of the map, made one by a 3×3 convolution."""

    def __init__(
        self, in_channels: int, channels: int, dilations: Sequence[int], settings: dict
    ) -> None:
        super().__init__()
        self.mean = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), ConvModule(in_channels, channels, 1, **settings)
        )
        self.branches = ASPPModule((1, *dilations), in_channels, channels, **settings)
        width = channels * (len(dilations) + 2)
        self.bottleneck = ConvModule(width, channels, 3, padding=1, **settings)

    def forward(self, features: Tensor) -> Tensor:
        mean = resize(self.mean(features), features.shape[2:], mode='bilinear')
        return self.bottleneck(torch.cat([mean, *self.branches(features)], dim=1))


def _check_levels(in_channels: Sequence[int], in_index: Sequence[int]) -> None:
    if isinstance(in_channels, int) or isinstance(in_index, int):
        raise ValueError(
            f'in_channels, in_index: expected one number for each level, got {in_channels!r} and '
            f'{in_index!r}'
        )
    if not 0 < len(in_channels) == len(in_index):
        raise ValueError(
            f'in_index: expected as many levels as in_channels has, {len(in_channels)}, got '
            f'{len(in_index)}: {tuple(in_index)}'
        )


def _check_widths(
    channels: int, level_channels: int, mlp_channels: Sequence[int], num_frequencies: int
) -> None:
    named = dict(channels=channels, level_channels=level_channels, num_frequencies=num_frequencies)
    for name, value in named.items():
        if value < 1:
            raise ValueError(f'{name} must be at least 1, got {value}')
    if min(mlp_channels, default=0) < 1:
        raise ValueError(
            f'mlp_channels: expected one positive width or more, got {tuple(mlp_channels)}'
        )


def _checked_query_size(query_size: Any) -> tuple[int, int] | str | None:
    if query_size is None or query_size == 'image':
        return query_size
    if isinstance(query_size, list | tuple) and len(query_size) == 2 and min(query_size) >= 1:
        return tuple(query_size)
    raise ValueError(
        "query_size: expected rows and columns, 'image' or None (the size of the finest level), "
        f'got {query_size!r}'
    )
