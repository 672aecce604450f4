"""Random weights in the layout of the published Inception conversions, and a picture: both a function of a seed."""

from __future__ import annotations

import torch
from torch import nn

from stylegenes.perception.inception import InceptionTrunk, published_name


def random_weights(seed: int = 0) -> dict[str, torch.Tensor]:
    convolutions = {
        published_name(name): module.weight.shape
        for name, module in InceptionTrunk().named_modules()
        if isinstance(module, nn.Conv2d)
    }
    rng = torch.Generator().manual_seed(seed)
    weights = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    for name in sorted(convolutions):
        shape = convolutions[name]
        weights[f"{name}.conv.weight"] = torch.randn(shape, generator=rng) * (1.5 / shape[1:].numel()) ** 0.5
        weights[f"{name}.bn.weight"] = torch.rand(shape[0], generator=rng) + 0.5
        weights[f"{name}.bn.bias"] = torch.randn(shape[0], generator=rng) * 0.1
        weights[f"{name}.bn.running_mean"] = torch.randn(shape[0], generator=rng) * 0.1
        weights[f"{name}.bn.running_var"] = torch.rand(shape[0], generator=rng) + 0.5
    return weights


def picture(size: int = 64, seed: int = 1) -> torch.Tensor:
    """uint8 [2, 3, size, size], smooth enough for a resize filter to matter."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(2, 3, 9, 9, generator=rng)
    return (nn.functional.interpolate(coarse, size, mode="nearest") * 255).round().to(torch.uint8)
