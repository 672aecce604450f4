"""The running average of the generator, the one that is kept and judged."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


def ema_beta(batch: int, images: int, half_life: float, rampup: float | None) -> float:
    """Share of the old average kept in one step.

    Args:
        batch: images in this step.
        images: images seen so far.
        half_life: images after which half of the old average is left.
        rampup: bounds the half-life by this share of the images seen so far, so that a young average forgets its
            random start; None for no bound.
    """
    if rampup is not None:
        half_life = min(half_life, images * rampup)
    return 0.5 ** (batch / max(half_life, 1e-8))


@torch.no_grad()
def update_ema(average: nn.Module, model: nn.Module, beta: float) -> None:
    """Move the parameters of `average` towards those of `model` and copy the buffers."""
    blend = get_ema_multi_avg_fn(beta)
    blend(list(average.parameters()), list(model.parameters()), None)
    for ours_buffer, theirs_buffer in zip(average.buffers(), model.buffers(), strict=True):
        ours_buffer.copy_(theirs_buffer)


def make_ema(model: nn.Module) -> nn.Module:
    """A copy of `model` that is not trained."""
    return copy.deepcopy(model).eval().requires_grad_(False)
