"""Layers with equalized learning rate (Karras et al. 2018, "Progressive Growing of GANs", section 4.1)."""

from __future__ import annotations

import math

import torch
from torch import nn

from stylegenes.ops.activation import bias_act


def normalize_second_moment(x: torch.Tensor, eps: float = 1e-8) -> torch.Tensor:
    """Scale every row of `x` [N, C] to a mean square of one over C."""
    return x * (x.square().mean(dim=1, keepdim=True) + eps).rsqrt()


class Linear(nn.Module):
    """Fully connected layer whose weight is stored at unit variance and scaled in the forward pass."""

    def __init__(
        self,
        in_features: int,  # size of the input's last dimension
        out_features: int,  # size of the output's last dimension
        *,
        bias: bool = True,  # whether a bias is added
        act: str = "linear",  # activation, a key of ops.activation.ACTIVATIONS
        lr_multiplier: float = 1.0,  # learning rate of this layer relative to the optimizer's
        bias_init: float = 0.0,  # initial value of the effective bias
    ) -> None:
        super().__init__()
        self.act = act
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((out_features,), bias_init / lr_multiplier)) if bias else None
        self.weight_gain = lr_multiplier / math.sqrt(in_features)
        self.bias_gain = lr_multiplier

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `x` [N, in_features] to [N, out_features]."""
        weight = self.weight.to(x.dtype) * self.weight_gain
        bias = None if self.bias is None else self.bias.to(x.dtype) * self.bias_gain
        if self.act == "linear":
            return nn.functional.linear(x, weight, bias)
        return bias_act(nn.functional.linear(x, weight), bias, act=self.act)
