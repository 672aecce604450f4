"""Bias, activation, gain and clamp in one call."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from stylegenes.errors import UserError
from stylegenes.words import did_you_mean


@dataclass(frozen=True)
class Activation:
    """An activation function with the gain that keeps unit variance.

    `homogeneous` says that f(g x) = g f(x) for every g > 0, so that a gain may move to the other side of it.
    `overwrite` is the function in place, where its derivative needs the result alone.
    """

    function: Callable[[torch.Tensor, float], torch.Tensor]
    gain: float = 1.0
    alpha: float = 0.0
    homogeneous: bool = False
    overwrite: Callable[[torch.Tensor, float], torch.Tensor] | None = None


ACTIVATIONS: dict[str, Activation] = {
    "linear": Activation(lambda x, _: x, homogeneous=True),
    "relu": Activation(lambda x, _: F.relu(x), gain=math.sqrt(2), homogeneous=True),
    "lrelu": Activation(
        lambda x, alpha: F.leaky_relu(x, alpha),
        gain=math.sqrt(2),
        alpha=0.2,
        homogeneous=True,
        overwrite=lambda x, alpha: F.leaky_relu_(x, alpha) if alpha > 0 else F.leaky_relu(x, alpha),
    ),
    "tanh": Activation(lambda x, _: torch.tanh(x)),
    "sigmoid": Activation(lambda x, _: torch.sigmoid(x)),
    "elu": Activation(lambda x, _: F.elu(x)),
    "selu": Activation(lambda x, _: F.selu(x)),
    "softplus": Activation(lambda x, _: F.softplus(x)),
    "swish": Activation(lambda x, _: F.silu(x), gain=math.sqrt(2)),
}


def get_activation(act: str) -> Activation:
    """The activation of a name.

    Raises:
        UserError: for an unknown name.
    """
    if act not in ACTIVATIONS:
        raise UserError(f"unknown activation {act!r}{did_you_mean(act, ACTIVATIONS)}")
    return ACTIVATIONS[act]


@dataclass(frozen=True)
class Gain:
    """Where the gain of an activation is applied: `before` to its argument, `after` to its result."""

    before: float
    after: float


def split_gain(act: str, gain: float = 1.0) -> Gain:
    """The activation's own gain times `gain`, moved to its argument where the activation allows it.

    A gain on the argument costs nothing: it is folded into weights and biases.
    """
    activation = get_activation(act)
    total = activation.gain * gain
    return Gain(before=total, after=1.0) if activation.homogeneous else Gain(before=1.0, after=total)


def bias_act(
    x: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    dim: int = 1,
    act: str = "linear",
    alpha: float | None = None,
    gain: float | None = None,
    clamp: float | None = None,
    overwrite: bool = False,
) -> torch.Tensor:
    """Add a bias along `dim`, activate, multiply by a gain, clamp.

    Args:
        x: any shape.
        bias: [x.shape[dim]] or None.
        dim: the dimension of `x` that the bias runs along.
        act: a key of `ACTIVATIONS`.
        alpha: slope of the leaky ReLU; None takes the activation's own.
        gain: factor after the activation; None takes the activation's own.
        clamp: bound on the absolute value of the result; None or a negative number sets no bound.
        overwrite: `x` is a temporary of the caller's, not needed by any derivative, and may be overwritten.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        UserError: for an unknown activation.
    """
    activation = get_activation(act)
    if bias is not None:
        x = x + bias.to(x.dtype).reshape([-1 if i == dim % x.ndim else 1 for i in range(x.ndim)])
    function = activation.overwrite if overwrite and activation.overwrite else activation.function
    x = function(x, activation.alpha if alpha is None else alpha)
    gain = activation.gain if gain is None else gain
    if gain != 1:
        x = x * gain
    if clamp is not None and clamp >= 0:
        x = x.clamp(-clamp, clamp)
    return x
