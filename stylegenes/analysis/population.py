"""Populations: codes near one, children between two, and how different the members are; for every kind of latent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import torch

from stylegenes.analysis.breeding import cross_chosen, mutate
from stylegenes.errors import UserError
from stylegenes.latents import LatentDistribution
from stylegenes.perception import PerceptualDistance
from stylegenes.words import did_you_mean

CROSSINGS = ("uniform", "block", "gene")
_SPREAD = 0.25
"""Children of continuous codes lie so far to both sides of the share that was asked for."""
_MOST_PAIRS = 66


@dataclass(frozen=True)
class Crossing:
    """How two parents make children.

    Attributes:
        cross: `uniform` (each gene by chance), `block` (a run of neighbors) or `gene` (those named).
        genes: for `gene`: which come from the second parent.
        share: of the second parent, for `uniform` and `block`.
        rate: chance of every gene of a child to mutate.
        locked: genes that stay as the first parent has them.
    """

    cross: str = "uniform"
    genes: Sequence[int] = ()
    share: float = 0.5
    rate: float = 0.02
    locked: Sequence[int] = ()

    def __post_init__(self) -> None:
        if self.cross not in CROSSINGS:
            raise UserError(f"there is no crossing {self.cross!r}{did_you_mean(self.cross, CROSSINGS)}")
        if not 0 <= self.share <= 1:
            raise UserError(f"the share of a parent lies in [0, 1]; got {self.share}")
        check_rate(self.rate)


def mutants(
    latent: LatentDistribution,
    code: torch.Tensor,
    count: int,
    rate: float,
    random: torch.Generator,
    locked: Sequence[int] = (),
) -> torch.Tensor:
    """Codes near one code.

    Args:
        latent: owns the code.
        code: [1, ...].
        count: how many.
        rate: of a genome, the chance of every gene to mutate; else how far each goes towards a random code.
        random: of all chance.
        locked: genes that stay.

    Returns:
        [count, ...].

    Raises:
        UserError: for a rate outside [0, 1], or locked genes that the latent does not have.
    """
    check_rate(rate)
    many = code.cpu().expand(count, -1)
    if latent.num_genes:
        return _keep(many, mutate(many, rate, latent.num_variants, random), locked)
    refuse_genes(locked)
    other = latent.sample(count, random).cpu()
    return latent.interpolate(many, other, rate)


def offspring(
    latent: LatentDistribution, parents: torch.Tensor, count: int, how: Crossing, random: torch.Generator
) -> torch.Tensor:
    """Children [count, ...] of two parents [2, ...]; of continuous codes they lie on the way between them.

    Args:
        latent: of the model.
        parents: codes [2, ...].
        count: children.
        how: crossing and mutation.
        random: of all chance, on the CPU.

    Raises:
        UserError: for genes that the latent does not have.
    """
    first, second = (row.expand(count, -1) for row in parents.cpu().split(1))
    if latent.num_genes:
        crossed = _crossed(first, second, how, random)
        return _keep(first, mutate(crossed, how.rate, latent.num_variants, random), how.locked)
    refuse_crossing(how)
    places = (how.share + _SPREAD * (2 * torch.rand(count, 1, generator=random) - 1)).clamp(0, 1)
    children = latent.interpolate(first, second, places)
    return latent.interpolate(children, latent.sample(count, random).cpu(), how.rate)


def check_rate(rate: float) -> None:
    """Nothing, for a rate in [0, 1].

    Raises:
        UserError: for another one.
    """
    if not 0 <= rate <= 1:
        raise UserError(f"a mutation rate lies in [0, 1]; got {rate}")


def refuse_genes(genes: Sequence[int]) -> None:
    """Nothing, where no genes are named.

    Raises:
        UserError: for genes of codes that have none.
    """
    if genes:
        raise UserError(f"gene {genes[0]} cannot be chosen: continuous codes, style vectors and mixtures have no genes")


def refuse_crossing(how: Crossing) -> None:
    """Nothing, where no genes are needed.

    Raises:
        UserError: for a crossing by genes of codes that have none.
    """
    refuse_genes([*how.locked, *how.genes])
    if how.cross != "uniform":
        raise UserError(
            f"crossing by {how.cross} needs genes; children of continuous codes, style vectors and mixtures lie on the "
            "way between their parents: leave 'uniform'"
        )


def _crossed(first: torch.Tensor, second: torch.Tensor, how: Crossing, random: torch.Generator) -> torch.Tensor:
    count, genes = first.shape
    if how.cross == "gene":
        return cross_chosen(first, second, list(how.genes))
    if how.cross == "uniform":
        return torch.where(torch.rand(count, genes, generator=random) < how.share, second, first)
    # A block whose length is drawn around the share, anywhere on the ring of genes.
    spread = torch.rand(count, 1, generator=random) - 0.5
    length = ((how.share + spread * min(how.share, 1 - how.share)) * genes).round()
    begin = torch.randint(genes, (count, 1), generator=random)
    return torch.where((torch.arange(genes) - begin) % genes < length, second, first)


def _keep(before: torch.Tensor, after: torch.Tensor, locked: Sequence[int]) -> torch.Tensor:
    return cross_chosen(after, before, list(locked)) if locked else after


@dataclass(frozen=True)
class Diversity:
    """How different the members of a population are.

    Attributes:
        genes: share of genes in which two differ, mean over pairs; None for continuous codes.
        pictures: perceptual distance between two, mean over pairs.
        judge: name of that distance.
        pairs: how many pairs were compared.
    """

    genes: float | None
    pictures: float
    judge: str
    pairs: int


def gene_diversity(genotypes: torch.Tensor) -> float:
    """Share of genes in which two of the genotypes [N, G] differ, mean over all pairs; 0 for one alone."""
    n = len(genotypes)
    if n < 2:
        return 0.0
    differ = sum(float((genotypes[i + 1 :] != genotypes[i]).float().mean(dim=1).sum()) for i in range(n - 1))
    return differ / (n * (n - 1) / 2)


@torch.no_grad()
def picture_diversity(images: torch.Tensor, distance: PerceptualDistance) -> tuple[float, int]:
    """Mean distance over pairs of pictures [N, C, H, W] in [-1, 1], and how many pairs; evenly chosen where many."""
    pairs = list(combinations(range(len(images)), 2))
    if not pairs:
        return 0.0, 0
    chosen = pairs[:: -(-len(pairs) // _MOST_PAIRS)]
    first, second = (images[list(side)] for side in zip(*chosen, strict=True))
    apart = [distance(a, b) for a, b in zip(first.split(16), second.split(16), strict=True)]
    return float(torch.cat(apart).mean()), len(chosen)
