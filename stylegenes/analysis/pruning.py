"""Pruning the gene pool by the discriminator's opinion, and what a codebook's variants are worth (StyleGenes, A.4)."""

from __future__ import annotations

import copy
import statistics as averages
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.latents import genome_of

Worth = Literal["realness", "outliers", "chance"]
"""What a variant is judged by; see WORTHS."""


@dataclass(frozen=True)
class Judged:
    """How variants are told apart, in words.

    Attributes:
        by: what their worth is.
        worst: what those are that go.
        best: what those are that take their places.
    """

    by: str
    worst: str
    best: str


WORTHS: dict[Worth, Judged] = {
    "realness": Judged("mean logit of the discriminator over the survey", "least real", "most real"),
    "outliers": Judged(
        "minus the mean distance of the survey's pictures to the nearest real in the classifier's logits",
        "farthest from reals",
        "nearest",
    ),
    "chance": Judged("drawn at random, as a control", "chosen by chance", "chosen by chance too"),
}
"""By the discriminator's mean opinion, by how far pictures lie from the nearest real, and by nothing at all."""


def named_by(name: str, by: Worth) -> str:
    """The name of something that judges variants so; realness, the paper's way, goes without saying."""
    return name if by == "realness" else f"{name}-{by}"


FrechetRun = Callable[[Generator, int], float]
"""A generator and a seed to a Frechet distance; handed in, since analyses know no metrics."""


def prune(generator: Generator, realness: torch.Tensor, num_pruned: int) -> Generator:
    """A copy of the generator whose least real variants are replaced by copies of the most real ones, gene by gene.

    Args:
        generator: with a genome.
        realness: [G, V], mean over draws that contain the variant: the discriminator's output, or another worth.
        num_pruned: variants replaced in each gene; the worst takes the place of the best, and so on.

    Raises:
        UserError: when the latent is no genome, or more than half of the variants are to go.
    """
    genome = genome_of(generator.latent, "pruning")
    if not 0 <= num_pruned <= genome.num_variants // 2:
        raise UserError(
            f"pruning {num_pruned} of {genome.num_variants} variants is impossible; "
            f"0 to {genome.num_variants // 2} can be replaced by better ones"
        )
    pruned = copy.deepcopy(generator)
    order = realness.argsort(dim=1, stable=True)
    genes = torch.arange(genome.num_genes)[:, None]
    worst, best = order[:, :num_pruned], order.flip(1)[:, :num_pruned]
    with torch.no_grad():
        table = genome_of(pruned.latent, "pruning").variants
        table[genes, worst] = genome.variants[genes, best]
    return pruned


@dataclass(frozen=True)
class PruningPoint:
    """Frechet distances at one number of pruned variants."""

    num_pruned: int
    distances: list[float]

    @property
    def mean(self) -> float:
        """Mean over the runs."""
        return averages.fmean(self.distances)

    @property
    def spread(self) -> float:
        """Standard deviation over the runs; 0 for a single one."""
        return averages.stdev(self.distances) if len(self.distances) > 1 else 0.0


def pruning_curve(
    generator: Generator, realness: torch.Tensor, numbers: list[int], distance: FrechetRun, *, runs: int = 5
) -> list[PruningPoint]:
    """Frechet distance against the number of pruned variants, several seeds each (the paper's Table 4).

    Args:
        generator: of a genome; it is not changed.
        realness: [G, V], mean discriminator output over draws that contain the variant.
        numbers: how many variants of each gene go, a point for each.
        distance: Frechet distance of a generator's pictures, drawn with a seed.
        runs: seeds for each point.
    """
    points = []
    for number in numbers:
        pruned = prune(generator, realness, number)
        points.append(PruningPoint(number, [distance(pruned, seed) for seed in range(runs)]))
    return points


@dataclass(frozen=True)
class Usage:
    """What a codebook's variants are worth.

    Attributes:
        effective: [G], effective number of distinct variants: exp of the entropy over groups of duplicates.
        duplicate: bool [G, V], variants that repeat an earlier one of their gene.
        dead: bool [G, V], variants that carry nothing: not finite, or without any length.
        collapsed: bool [G], genes whose variants hardly differ from each other.
    """

    effective: torch.Tensor
    duplicate: torch.Tensor
    dead: torch.Tensor
    collapsed: torch.Tensor


def usage(variants: torch.Tensor, *, tolerance: float = 1e-3) -> Usage:
    """Find dead and duplicate variants in a codebook [G, V, d].

    Args:
        variants: the bank of every gene.
        tolerance: lengths and distances below this part of the codebook's typical spread count as none.
    """
    variants = variants.detach().float().cpu()
    finite = variants.isfinite().all(dim=2)
    clean = torch.where(finite[..., None], variants, 0.0)
    deviation = clean - clean.mean(dim=1, keepdim=True)
    scale = deviation.square().sum(dim=2).mean(dim=1).sqrt()
    bound = tolerance * max(float(scale.median()), 1e-12)
    first = torch.stack([_first_equal(bank, bound) for bank in clean])
    share = torch.nn.functional.one_hot(first, variants.shape[1]).double().mean(dim=1)
    return Usage(
        effective=torch.special.entr(share).sum(dim=1).exp(),
        duplicate=first != torch.arange(variants.shape[1]),
        dead=~finite | (clean.norm(dim=2) <= bound),
        collapsed=scale <= bound,
    )


def _first_equal(bank: torch.Tensor, bound: float) -> torch.Tensor:
    """For each of the V rows of [V, d], the first row within `bound` of it, [V]."""
    near = torch.cdist(bank, bank, compute_mode="donot_use_mm_for_euclid_dist") <= bound
    return near.to(torch.uint8).argmax(dim=1)
