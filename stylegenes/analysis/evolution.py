"""How a codebook changes over training, from a run's snapshots (StyleGenes, A.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from stylegenes.analysis.pruning import usage
from stylegenes.errors import UserError


@dataclass(frozen=True)
class Moment:
    """A codebook at one time.

    Attributes:
        kimg: thousands of real images seen.
        variants: float [G, V, d].
    """

    kimg: float
    variants: torch.Tensor


@dataclass(frozen=True)
class Evolution:
    """A codebook over time; T moments.

    Attributes:
        kimg: [T], thousands of real images seen.
        plane: [T, G, V, 2], variants on the two main axes of their gene at the last moment.
        spread: [T, G], root mean square distance of a gene's variants from their mean.
        nearest: [T, G], mean distance from a variant to its nearest neighbor.
        moved: [T, G], root mean square way of the variants since the first moment.
        effective: [T, G], effective number of distinct variants.
    """

    kimg: list[float]
    plane: torch.Tensor
    spread: torch.Tensor
    nearest: torch.Tensor
    moved: torch.Tensor
    effective: torch.Tensor


def evolution(moments: Sequence[Moment]) -> Evolution:
    """Follow a codebook through its snapshots, ordered by time.

    Raises:
        UserError: for no moments, or codebooks of different shapes.
    """
    if not moments:
        raise UserError("the evolution of a codebook needs at least one snapshot with a genome")
    moments = sorted(moments, key=lambda moment: moment.kimg)
    shapes = {tuple(moment.variants.shape) for moment in moments}
    if len(shapes) > 1:
        raise UserError(f"these snapshots hold codebooks of different shapes: {sorted(shapes)}")
    banks = torch.stack([moment.variants.detach().float().cpu() for moment in moments])
    return Evolution(
        kimg=[moment.kimg for moment in moments],
        plane=_project(banks),
        spread=(banks - banks.mean(dim=2, keepdim=True)).square().sum(dim=3).mean(dim=2).sqrt(),
        nearest=torch.stack([_nearest(bank) for bank in banks]),
        moved=(banks - banks[0]).square().sum(dim=3).mean(dim=2).sqrt(),
        effective=torch.stack([usage(bank).effective for bank in banks]),
    )


def _project(banks: torch.Tensor) -> torch.Tensor:
    """[T, G, V, d] on the first two principal axes of each gene's last bank; the second is zero where d is 1."""
    last = banks[-1]
    center = last.mean(dim=1, keepdim=True)
    axes = torch.linalg.svd(last - center, full_matrices=False).Vh[:, :2]
    plane = torch.einsum("tgvd,gkd->tgvk", banks - center, axes)
    return torch.nn.functional.pad(plane, (0, 2 - plane.shape[3]))


def _nearest(bank: torch.Tensor) -> torch.Tensor:
    """Mean distance to the nearest neighbor in each gene, [G]; 0 for a single variant."""
    if bank.shape[1] < 2:
        return torch.zeros(bank.shape[0])
    apart = torch.cdist(bank, bank, compute_mode="donot_use_mm_for_euclid_dist")
    apart.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    return apart.amin(dim=2).mean(dim=1)
