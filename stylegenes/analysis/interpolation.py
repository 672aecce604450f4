"""Paths between two codes, in the code's own space or in W (Liu 2019, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch

from stylegenes.generator import Generator
from stylegenes.records import Condition
from stylegenes.words import check_known

PathSpace = Literal["code", "w"]


@torch.no_grad()
def path(
    generator: Generator,
    start: torch.Tensor,
    end: torch.Tensor,
    steps: Sequence[float],
    space: PathSpace = "w",
    condition: Condition | None = None,
) -> torch.Tensor:
    """Style vectors on the way between two codes.

    Args:
        generator: the model.
        start: one code [1, ...].
        end: one code [1, ...].
        steps: positions from 0 (start) to 1 (end).
        space: `w` goes straight in W; `code` goes the latent's own way (a great arc for z, with or without a mapping
            network; genotypes' codes are their w, so that both are the same).
        condition: one row, for a model with labels.

    Returns:
        [len(steps), num_ws, w_dim].

    Raises:
        UserError: for another space.
    """
    check_known("space", space, get_args(PathSpace))
    if space == "code":
        w = [generator.latent.path(start, end, t, condition) for t in steps]
    else:
        first, last = generator.latent(start, condition), generator.latent(end, condition)
        w = [torch.lerp(first, last, t) for t in steps]
    return generator.broadcast(torch.cat(w))
