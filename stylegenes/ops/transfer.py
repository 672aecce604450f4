"""Getting small things to where the pictures are without making the processor wait for the device."""

from __future__ import annotations

from functools import lru_cache

import torch


def upload(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """The tensor on `device`; towards a CUDA device through pinned memory, so that nobody waits for the copy."""
    if torch.device(device).type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def constant(values: tuple, like: torch.Tensor) -> torch.Tensor:
    """Numbers (nested tuples) as a tensor of the dtype and device of `like`, copied there once; not to be changed."""
    return _constant(values, like.dtype, like.device)


@lru_cache(maxsize=256)
def _constant(values: tuple, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)
