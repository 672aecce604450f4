"""Conditional sampling from an unconditional genome (StyleGenes, section 3.3, Eq. 6), and its exact form.

Eq. 6 treats the genes as independent given the wish: each gets its own table of probabilities. That is the exact
marginal posterior at T = 1, but pictures depend on combinations. Classifying more candidates than are wanted and
keeping them by importance weights removes what the tables cannot see.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.shrinkage import shrink
from stylegenes.analysis.statistics import VariantStatistics
from stylegenes.analysis.wishes import Wish, check_temperature
from stylegenes.errors import UserError
from stylegenes.perception.trust import warn_of_doubts

_FLOOR = 1e-4
"""Probabilities are kept this far from 0 and 1, so that no variant is excluded by rounding."""


@dataclass(frozen=True)
class GeneTables:
    """Independent distributions over the variants of every gene.

    Attributes:
        log_probability: float64 [G, V]; each row sums to one after exp.
    """

    log_probability: torch.Tensor

    def sample(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Draw `n` genotypes, int64 [n, G]."""
        draws = torch.multinomial(self.log_probability.exp(), n, replacement=True, generator=generator)
        return draws.T.contiguous()

    def log_ratio(self, genotype: torch.Tensor) -> torch.Tensor:
        """log of these tables' probability over the uniform prior's, [N], for genotypes [N, G]."""
        genes = torch.arange(genotype.shape[1])
        chosen = self.log_probability[genes, genotype.cpu()]
        return (chosen + math.log(self.log_probability.shape[1])).sum(dim=1)

    @property
    def variety(self) -> float:
        """Mean over the genes of entropy / log(V): 1 for the prior, 0 where one variant is left."""
        entropy = -(self.log_probability.exp() * self.log_probability).sum(dim=1)
        return float(entropy.mean() / math.log(max(self.log_probability.shape[1], 2)))


def gene_tables(mean: torch.Tensor, wishes: Sequence[Wish], temperature: float = 1.0) -> GeneTables:
    """Eq. 6: p(k_i = j | wishes) proportional to the product of p(a | k_i = j) ** (1 / T), for each gene.

    Args:
        mean: p(a | k_i = j), [G, V, A], measured or shrunk.
        wishes: attributes wanted present or absent.
        temperature: T for wishes without one of their own; lower is more accurate and less varied.

    Raises:
        UserError: for a temperature that is not positive.
    """
    check_temperature(temperature)
    scores = torch.zeros(mean.shape[:2], dtype=torch.float64)
    for wish in wishes:
        likelihood = wish.likelihood(mean.double()).clamp(_FLOOR, 1 - _FLOOR)
        scores += likelihood.log() / check_temperature(wish.temperature or temperature)
    return GeneTables(scores.log_softmax(dim=1))


def tables_for(
    statistics: VariantStatistics, wishes: Sequence[Wish], temperature: float, *, shrunk: bool = True
) -> GeneTables:
    """Gene tables from a survey, with the estimates shrunk by their noise or as the paper takes them.

    Args:
        statistics: of the survey.
        wishes: what pictures should show.
        temperature: above 0; lower is more accurate and less varied.
        shrunk: whether the estimates are shrunk by their noise.
    """
    return gene_tables(shrink(statistics).mean if shrunk else statistics.mean, wishes, temperature)


@dataclass(frozen=True)
class ExactDraws:
    """Genotypes kept from a larger number of classified candidates.

    Attributes:
        genotype: int64 [n, G].
        probability: [n, A], the classifier's probabilities of the kept pictures.
        effective: effective number of candidates, (sum w)^2 / sum w^2, between 1 and `candidates`.
        candidates: how many were classified.
    """

    genotype: torch.Tensor
    probability: torch.Tensor
    effective: float
    candidates: int


def sample_exactly(
    labeler: CodeLabeler,
    tables: GeneTables,
    wishes: Sequence[Wish],
    n: int,
    *,
    candidates: int,
    tempered: bool = False,
    generator: torch.Generator | None = None,
) -> ExactDraws:
    """Draw candidates from the tables, classify them, and keep `n` of them by importance weights, without replacement.

    Args:
        labeler: makes and classifies the candidates.
        tables: the proposal, for example Eq. 6 at T = 1; every variant must be possible.
        wishes: what is wanted.
        n: genotypes kept.
        candidates: genotypes classified; several times `n`.
        tempered: False aims at the posterior p(k | wishes) under the uniform prior. True aims at the tables weighted by
            the classifier: more accurate where T < 1, and its effective number stays high.
        generator: source of randomness.

    Raises:
        UserError: when fewer candidates than genotypes are asked for.
    """
    if not 1 <= n <= candidates:
        raise UserError(f"keeping {n} of {candidates} candidates is impossible; classify at least as many as are kept")
    warn_of_doubts(labeler.classifier, [wish.attribute for wish in wishes])
    proposed = tables.sample(candidates, generator)
    probability = labeler.probabilities(proposed)
    log_weight = torch.stack([wish.likelihood(probability).clamp_min(1e-12).log() for wish in wishes]).sum(dim=0)
    if not tempered:
        log_weight = log_weight - tables.log_ratio(proposed)
    weight = log_weight.softmax(dim=0)
    # Adding Gumbel noise and keeping the largest draws without replacement in proportion to the weights.
    uniform = torch.rand(candidates, generator=generator, dtype=torch.float64).clamp_min(1e-300)
    kept = (log_weight - (-uniform.log()).log()).topk(n).indices
    return ExactDraws(proposed[kept], probability[kept], float(1 / weight.square().sum()), candidates)


@dataclass(frozen=True)
class AcceptedDraws:
    """Genotypes that the classifier has accepted, one for each source of randomness.

    Attributes:
        genotype: int64 [n, G].
        probability: [n, A], the classifier's probabilities of the pictures.
        accepted: bool [n]; False where no candidate was accepted and the likeliest one was kept.
        candidates: how many were classified.
    """

    genotype: torch.Tensor
    probability: torch.Tensor
    accepted: torch.Tensor
    candidates: int


def sample_accepted(
    labeler: CodeLabeler,
    tables: GeneTables,
    wishes: Sequence[Wish],
    sources: Sequence[torch.Generator],
    *,
    tries: int = 16,
) -> AcceptedDraws:
    """Draw from the tables weighted by the classifier: a candidate is accepted with the probability of its wishes.

    Rejection makes this exact, and each source's genotype is a function of that source alone. It costs one classified
    picture for each candidate, about 1 / (mean probability) for each genotype.

    Args:
        labeler: makes and classifies the candidates.
        tables: the proposal, for example Eq. 6 at T = 1.
        wishes: what is wanted.
        sources: a source of randomness for each genotype wanted.
        tries: candidates for one genotype, after which the likeliest is kept.

    Raises:
        UserError: when nothing may be tried.
    """
    if tries < 1 or not sources:
        raise UserError(f"accepting needs at least one try and one source; got {tries} and {len(sources)}")
    warn_of_doubts(labeler.classifier, [wish.attribute for wish in wishes])
    genotype = torch.zeros(len(sources), tables.log_probability.shape[0], dtype=torch.int64)
    probability = torch.zeros(len(sources), len(labeler.classifier.attributes), dtype=torch.float64)
    best = torch.full((len(sources),), -1.0, dtype=torch.float64)
    accepted = torch.zeros(len(sources), dtype=torch.bool)
    classified = 0
    for _ in range(tries):
        waiting = (~accepted).nonzero().flatten()
        if len(waiting) == 0:
            break
        classified += len(waiting)
        proposed = torch.cat([tables.sample(1, sources[i]) for i in waiting.tolist()])
        draw = torch.cat([torch.rand(1, generator=sources[i], dtype=torch.float64) for i in waiting.tolist()])
        found = labeler.probabilities(proposed)
        likelihood = torch.stack([wish.likelihood(found) for wish in wishes]).prod(dim=0)
        accepted[waiting] = draw < likelihood
        better = (likelihood > best[waiting]) | accepted[waiting]
        genotype[waiting[better]], probability[waiting[better]] = proposed[better], found[better]
        best[waiting] = torch.maximum(best[waiting], likelihood)
    return AcceptedDraws(genotype, probability, accepted, classified)
