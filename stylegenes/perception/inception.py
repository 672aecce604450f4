"""The Inception network that FID is defined by: the TensorFlow graph of December 2015, in PyTorch.

The architecture is Inception-v3 (Szegedy et al. 2016) as that graph has it: average pools leave the padding out of the
count, the pool of the last block takes the maximum, and pictures are resized by the first TensorFlow's bilinear filter
and scaled to (x - 128) / 128. It reads the published PyTorch conversions of the weights. Batch norm is folded into the
convolutions when the weights are read.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn

from stylegenes.files import file_hash
from stylegenes.perception.base import EXTRACTORS, FeatureExtractor
from stylegenes.perception.resize import resize_tf1, to_bytes_range, to_rgb
from stylegenes.perception.weights import check_keys, fetched_file, load_tensors

FILE = "inception.pth"
PUBLISHED_HASH = "6726825d"
"""First digits of the sha256 of the published conversion, which its file name carries."""
INPUT_SIZE = 299
_EPS = 1e-3


def _conv(
    channels_in: int, channels_out: int, kernel: int | tuple[int, int] = 1, stride: int = 1, pad: bool = True
) -> nn.Sequential:
    """Convolution (bias: the folded batch norm) and ReLU; `pad` keeps the size at stride one."""
    kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (kernel[0] // 2, kernel[1] // 2) if pad else (0, 0)
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, kernel, stride, padding), nn.ReLU(inplace=True))


def _average() -> nn.Module:
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


class _Fork(nn.Module):
    """Runs all parts on the same input and stacks their channels."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([part(x) for part in self.parts], dim=1)


def _chain(**layers: nn.Module) -> nn.Sequential:
    """Layers in a row; the names are those of the published weights."""
    return nn.Sequential(OrderedDict(layers))


def _block_a(channels: int, pool: int) -> nn.Module:
    return _Fork(
        _chain(branch1x1=_conv(channels, 64)),
        _chain(branch5x5_1=_conv(channels, 48), branch5x5_2=_conv(48, 64, 5)),
        _chain(branch3x3dbl_1=_conv(channels, 64), branch3x3dbl_2=_conv(64, 96, 3), branch3x3dbl_3=_conv(96, 96, 3)),
        _chain(average=_average(), branch_pool=_conv(channels, pool)),
    )


def _block_b(channels: int) -> nn.Module:
    return _Fork(
        _chain(branch3x3=_conv(channels, 384, 3, 2, pad=False)),
        _chain(
            branch3x3dbl_1=_conv(channels, 64),
            branch3x3dbl_2=_conv(64, 96, 3),
            branch3x3dbl_3=_conv(96, 96, 3, 2, pad=False),
        ),
        nn.MaxPool2d(3, 2),
    )


def _block_c(channels: int, width: int) -> nn.Module:
    across, down = (1, 7), (7, 1)
    return _Fork(
        _chain(branch1x1=_conv(channels, 192)),
        _chain(
            branch7x7_1=_conv(channels, width),
            branch7x7_2=_conv(width, width, across),
            branch7x7_3=_conv(width, 192, down),
        ),
        _chain(
            branch7x7dbl_1=_conv(channels, width),
            branch7x7dbl_2=_conv(width, width, down),
            branch7x7dbl_3=_conv(width, width, across),
            branch7x7dbl_4=_conv(width, width, down),
            branch7x7dbl_5=_conv(width, 192, across),
        ),
        _chain(average=_average(), branch_pool=_conv(channels, 192)),
    )


def _block_d(channels: int) -> nn.Module:
    return _Fork(
        _chain(branch3x3_1=_conv(channels, 192), branch3x3_2=_conv(192, 320, 3, 2, pad=False)),
        _chain(
            branch7x7x3_1=_conv(channels, 192),
            branch7x7x3_2=_conv(192, 192, (1, 7)),
            branch7x7x3_3=_conv(192, 192, (7, 1)),
            branch7x7x3_4=_conv(192, 192, 3, 2, pad=False),
        ),
        nn.MaxPool2d(3, 2),
    )


def _block_e(channels: int, pool: nn.Module) -> nn.Module:
    across, down = (1, 3), (3, 1)
    return _Fork(
        _chain(branch1x1=_conv(channels, 320)),
        _chain(
            branch3x3_1=_conv(channels, 384),
            fork=_Fork(_chain(branch3x3_2a=_conv(384, 384, across)), _chain(branch3x3_2b=_conv(384, 384, down))),
        ),
        _chain(
            branch3x3dbl_1=_conv(channels, 448),
            branch3x3dbl_2=_conv(448, 384, 3),
            fork=_Fork(_chain(branch3x3dbl_3a=_conv(384, 384, across)), _chain(branch3x3dbl_3b=_conv(384, 384, down))),
        ),
        _chain(pool=pool, branch_pool=_conv(channels, 192)),
    )


class InceptionTrunk(nn.Module):
    """The graph up to its last feature map, frozen; gradients flow to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = _chain(
            Conv2d_1a_3x3=_conv(3, 32, 3, 2, pad=False),
            Conv2d_2a_3x3=_conv(32, 32, 3, pad=False),
            Conv2d_2b_3x3=_conv(32, 64, 3),
            pool1=nn.MaxPool2d(3, 2),
            Conv2d_3b_1x1=_conv(64, 80),
            Conv2d_4a_3x3=_conv(80, 192, 3, pad=False),
            pool2=nn.MaxPool2d(3, 2),
            Mixed_5b=_block_a(192, 32),
            Mixed_5c=_block_a(256, 64),
            Mixed_5d=_block_a(288, 64),
            Mixed_6a=_block_b(288),
            Mixed_6b=_block_c(768, 128),
            Mixed_6c=_block_c(768, 160),
            Mixed_6d=_block_c(768, 160),
            Mixed_6e=_block_c(768, 192),
            Mixed_7a=_block_d(768),
            Mixed_7b=_block_e(1280, _average()),
            Mixed_7c=_block_e(2048, nn.MaxPool2d(3, 1, 1)),
        )
        self.requires_grad_(False)

    def load(self, published: dict[str, torch.Tensor]) -> None:
        """Take the published weights, which have exactly these convolutions, their batch norms and a classifier.

        Raises:
            UserError: naming tensors that are missing, extra or of another shape.
        """
        ours = {name: module for name, module in self.named_modules() if isinstance(module, nn.Conv2d)}
        names = {name: published_name(name) for name in ours}
        wanted = {f"{names[name]}.conv.weight": module.weight.shape for name, module in ours.items()}
        for name, module in ours.items():
            wanted |= {f"{names[name]}.bn.{part}": module.weight.shape[:1] for part in _NORM}
        given = {key: value for key, value in published.items() if not key.startswith(_UNUSED)}
        given = {key: value for key, value in given.items() if not key.endswith("num_batches_tracked")}
        check_keys(given, wanted, "the Inception graph of FID")
        for name, module in ours.items():
            norm = {part: given[f"{names[name]}.bn.{part}"] for part in _NORM}
            scale = norm["weight"] / (norm["running_var"] + _EPS).sqrt()
            module.weight.copy_(given[f"{names[name]}.conv.weight"] * scale[:, None, None, None])
            assert module.bias is not None
            module.bias.copy_(norm["bias"] - norm["running_mean"] * scale)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The last feature map [N, 2048, 8, 8] of pictures [N, 1 or 3, H, W] in [-1, 1]."""
        pixels = resize_tf1(to_bytes_range(to_rgb(images)), INPUT_SIZE)
        return self.layers((pixels - 128) / 128)


_NORM = ("weight", "bias", "running_mean", "running_var")
_UNUSED = ("fc.", "AuxLogits.")


def published_name(ours: str) -> str:
    """`layers.Mixed_5b.parts.0.branch1x1.0` is published as `Mixed_5b.branch1x1`."""
    skipped = ("layers", "parts", "fork")
    return ".".join(part for part in ours.split(".") if part not in skipped and not part.isdigit())


@EXTRACTORS.register("inception")
class InceptionFeatures(FeatureExtractor):
    """Globally averaged features [N, 2048] of weights that the user has fetched. With the published file it is FID."""

    name = "inception"
    feature_dim = 2048
    input_size = INPUT_SIZE
    preprocessing = "rgb, bilinear to 299 px as in TensorFlow 1 (no antialiasing), (x - 128) / 128"
    distance = "lpips"

    def __init__(
        self,
        *,
        weights: str | None = None,  # path of a published conversion; None takes the one that was fetched
    ) -> None:
        super().__init__()
        path = Path(weights) if weights is not None else fetched_file(FILE)
        self.trunk = InceptionTrunk()
        self.trunk.load(load_tensors(path))
        self.weights_hash = file_hash(path)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features [N, 2048] of pictures [N, 1 or 3, H, W] in [-1, 1]."""
        return self.trunk(images).mean(dim=(2, 3))

    def metric_name(self, metric: str) -> str:
        """`fid` and `kid` are for the published weights alone; with any others it is `fd_inception`."""
        if not self.weights_hash.startswith(PUBLISHED_HASH):
            return super().metric_name(metric)
        return {"fd": "fid"}.get(metric, metric)
