"""ResNet that also gives what its stem makes of the image, for decoders that want detail."""

from mmseg.models.backbones import ResNet
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class StemResNet(ResNet):
    """mmseg's ResNet with one more output, before the others: the stem's, at half the size.

    The encoder of Monodepth2 (ICCV 2019, Section 4). Arguments, weights and names of parameters
    are those of ``mmseg.ResNet``.
    """

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W) → features at strides 2, 4, 8, 16 and 32."""
        stem = self.stem(inputs) if self.deep_stem else self.relu(self.norm1(self.conv1(inputs)))
        features, outputs = self.maxpool(stem), [stem]
        for index, name in enumerate(self.res_layers):
            features = getattr(self, name)(features)
            if index in self.out_indices:
                outputs.append(features)
        return tuple(outputs)
