"""StyleGAN2 as a textbook writes it, on the weights of our modules: the plain side of the comparison.

Every sample gets its own modulated weight, run as one grouped convolution; upsampling inserts zeros and filters before
a convolution at the high resolution; filters fold channels into the batch; bias, activation and gain are three steps.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F


def generator_forward(synthesis: Any, ws: torch.Tensor, noise: bool = True) -> torch.Tensor:
    """Pictures [N, C, H, W] of our skip generator from ws [N, num_ws, w_dim]."""
    image, layer = None, 0
    x = synthesis.blocks[0].const.expand(ws.shape[0], -1, -1, -1)
    for block in synthesis.blocks:
        for conv in (block.conv0, block.conv1):
            if conv is not None:
                x = styled(conv, x, ws[:, layer], noise)
                layer += 1
        made = colors(block.to_rgb, x, ws[:, layer])
        image = made if image is None else upsample(image, synthesis.resample_filter) + made
    assert image is not None
    return image


def colors(rgb: Any, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Colors [N, C, H, W] of features in the style w [N, w_dim]."""
    styles = rgb.affine(w) * rgb.weight_gain
    return _grouped(x, rgb.weight[None] * styles[:, None, :, None, None], padding=0) + rgb.bias[:, None, None]


def styled(conv: Any, x: torch.Tensor, w: torch.Tensor, noise: bool) -> torch.Tensor:
    """A styled convolution of x [N, C, H, W] in the style w [N, w_dim], doubled where it doubles."""
    weight = conv.weight[None] * conv.affine(w)[:, None, :, None, None]
    weight = weight * (weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    if conv.up > 1:
        # One more pixel of the filtered picture on each side: the convolution sees it where zeros would be wrong.
        x = _grouped(upsample(x, conv.resample_filter, margin=1), weight.flip((3, 4)), padding=0)
    else:
        x = _grouped(x, weight, padding=1)
    if noise:
        x = x + torch.randn(x.shape[0], 1, *x.shape[2:], device=x.device) * conv.noise_strength
    return F.leaky_relu(x + conv.bias[:, None, None], 0.2) * math.sqrt(2)


def _grouped(x: torch.Tensor, weight: torch.Tensor, padding: int) -> torch.Tensor:
    """Convolve each sample of `x` [N, C_in, H, W] with its own weight [N, C_out, C_in, k, k]."""
    n, c_out, c_in, k, _ = weight.shape
    y = F.conv2d(x.reshape(1, n * c_in, *x.shape[2:]), weight.reshape(n * c_out, c_in, k, k), padding=padding, groups=n)
    return y.reshape(n, c_out, *y.shape[2:])


def _filter(x: torch.Tensor, f: torch.Tensor, before: int, after: int) -> torch.Tensor:
    n, c, h, w = x.shape
    x = F.pad(x.reshape(n * c, 1, h, w), (before, after, before, after))
    return F.conv2d(x, f[None, None]).reshape(n, c, h + before + after - 3, w + before + after - 3)


def upsample(x: torch.Tensor, f: torch.Tensor, margin: int = 0) -> torch.Tensor:
    """Twice as many pixels, and `margin` more on each side."""
    n, c, h, w = x.shape
    spread = F.pad(x.reshape(n, c, h, 1, w, 1), (0, 1, 0, 0, 0, 1)).reshape(n, c, 2 * h, 2 * w)
    return _filter(spread, f * 4, 2 + margin, 1 + margin)


def discriminator_forward(D: Any, image: torch.Tensor) -> torch.Tensor:
    """Logits [N, 1] of our residual discriminator, without labels."""
    x = _activated(D.from_rgb[0], image)
    for block in D.blocks:
        f = block.conv1.resample_filter
        around = F.conv2d(_filter(x, f, 1, 1)[:, :, ::2, ::2], block.skip.weight * block.skip.weight_gain)
        y = _activated(block.conv1, _filter(_activated(block.conv0, x), f, 2, 2), stride=2)
        x = (around + y) * math.sqrt(0.5)
    return D.epilogue(x)


def _activated(conv: Any, x: torch.Tensor, stride: int = 1) -> torch.Tensor:
    x = F.conv2d(x, conv.weight * conv.weight_gain, stride=stride, padding=conv.padding if stride == 1 else 0)
    return F.leaky_relu(x + conv.bias[:, None, None], 0.2) * math.sqrt(2)
