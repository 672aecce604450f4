"""Breeding: children of genotypes, mutation, and generations under selection, with the lineage kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from stylegenes.errors import UserError
from stylegenes.files import read_object, write_json
from stylegenes.latents import Genome
from stylegenes.shape import check

Cross = Callable[[torch.Tensor, torch.Tensor, torch.Generator | None], torch.Tensor]
"""Two parents int64 [n, G] each, and randomness, to children [n, G]."""

Fitness = Callable[[torch.Tensor], torch.Tensor]
"""Genotypes int64 [n, G] to their fitness [n]; more is better. An attribute, or whatever a user prefers."""


def cross_uniform(a: torch.Tensor, b: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Each gene from either parent with equal chance: parents [n, G] to children [n, G]."""
    return torch.where(torch.rand(a.shape, generator=generator) < 0.5, a, b)


def cross_block(a: torch.Tensor, b: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """One run of neighboring genes from `b`, the others from `a`: both ends are drawn for every child."""
    genes = torch.arange(a.shape[1])
    ends = torch.randint(a.shape[1] + 1, (2, len(a), 1), generator=generator).sort(dim=0).values
    return torch.where((genes >= ends[0]) & (genes < ends[1]), b, a)


def cross_chosen(a: torch.Tensor, b: torch.Tensor, genes: list[int]) -> torch.Tensor:
    """The chosen genes from `b`, the others from `a`: parents [n, G] to children [n, G].

    Raises:
        UserError: for a gene that does not exist.
    """
    outside = [gene for gene in genes if not 0 <= gene < a.shape[1]]
    if outside:
        raise UserError(f"there is no gene {outside[0]}; this genome has genes 0 to {a.shape[1] - 1}")
    child = a.clone()
    child[:, genes] = b[:, genes]
    return child


CROSSES: dict[str, Cross] = {"uniform": cross_uniform, "block": cross_block}


def mutate(
    genotype: torch.Tensor, rate: float, num_variants: int, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Replace each gene's variant, with chance `rate`, by another one drawn uniformly: [n, G] to [n, G].

    Args:
        genotype: [n, G] of whole numbers below num_variants.
        rate: chance of each gene, in [0, 1].
        num_variants: variants that each gene has.
        generator: of the chances, on the CPU.

    Raises:
        UserError: for a rate outside [0, 1].
    """
    if not 0 <= rate <= 1:
        raise UserError(f"a mutation rate lies in [0, 1]; got {rate}")
    if num_variants == 1:
        return genotype.clone()
    hit = torch.rand(genotype.shape, generator=generator) < rate
    step = torch.randint(1, num_variants, genotype.shape, generator=generator)
    return torch.where(hit, (genotype + step) % num_variants, genotype)


@dataclass(frozen=True)
class Individual:
    """One member of a lineage.

    Attributes:
        id: its number in the lineage.
        generation: 0 for founders.
        genotype: its genotype string.
        parents: ids of its two parents; empty for founders.
        mutations: genes whose variant neither parent had.
        fitness: what selection saw; 0 where nothing was measured.
    """

    id: int
    generation: int
    genotype: str
    parents: list[int] = field(default_factory=list)
    mutations: list[int] = field(default_factory=list)
    fitness: float = 0.0


@dataclass(frozen=True)
class Lineage:
    """All individuals, ordered by id."""

    individuals: list[Individual]

    def generation(self, number: int) -> list[Individual]:
        """The individuals of one generation, the fittest first."""
        members = [individual for individual in self.individuals if individual.generation == number]
        return sorted(members, key=lambda individual: -individual.fitness)

    @property
    def num_generations(self) -> int:
        """Generations after the founders."""
        return max(individual.generation for individual in self.individuals)

    def ancestors(self, number: int) -> list[Individual]:
        """Everybody that individual `number` descends from, ordered by id."""
        found: set[int] = set()
        waiting = list(self.individuals[number].parents)
        while waiting:
            parent = waiting.pop()
            if parent not in found:
                found.add(parent)
                waiting += self.individuals[parent].parents
        return [self.individuals[i] for i in sorted(found)]

    def save(self, path: str | Path) -> None:
        """Write as JSON, atomically."""
        write_json(path, {"individuals": [asdict(individual) for individual in self.individuals]})

    @classmethod
    def load(cls, path: str | Path) -> Lineage:
        """Read what `save` wrote.

        Raises:
            UserError: when the file is missing or damaged.
        """
        return cls(check(read_object(path).get("individuals"), list[Individual], f"individuals in {path}"))


@dataclass(frozen=True)
class GeneticSearch:
    """How generations follow one another.

    Attributes:
        genome: owns the genotypes.
        cross: how two parents make a child.
        mutation_rate: chance of every gene of a child to mutate.
        population: children in a generation.
        survivors: how many of the fittest, parents and children alike, become parents of the next generation.
    """

    genome: Genome
    cross: Cross = cross_uniform
    mutation_rate: float = 0.02
    population: int = 32
    survivors: int = 8

    def __post_init__(self) -> None:
        if self.population < 1 or self.survivors < 1:
            raise UserError("a search needs a population and survivors of at least one")

    def breed(
        self,
        founders: torch.Tensor,
        fitness: Fitness,
        generations: int,
        generator: torch.Generator | None = None,
    ) -> Lineage:
        """Let `generations` follow on the founders [n, G]; the fittest never die (elitism).

        Args:
            founders: genotypes [n, G].
            fitness: genotypes [n, G] to numbers [n]; higher is fitter.
            generations: how many follow on the founders.
            generator: of the chances, on the CPU.
        """
        people = self._record([], founders, [[] for _ in founders], founders, 0, fitness)
        alive, scores = founders.cpu(), torch.tensor([person.fitness for person in people])
        ids = torch.arange(len(people))
        for generation in range(1, generations + 1):
            best = scores.argsort(descending=True, stable=True)[: self.survivors]
            alive, scores, ids = alive[best], scores[best], ids[best]
            pairs = _pairs(len(alive), self.population, generator)
            bred = self.cross(alive[pairs[0]], alive[pairs[1]], generator)
            children = mutate(bred, self.mutation_rate, self.genome.num_variants, generator)
            parents = torch.stack([ids[pairs[0]], ids[pairs[1]]], dim=1).tolist()
            born = self._record(people, children, parents, bred, generation, fitness)
            ids = torch.cat([ids, torch.arange(len(people), len(people) + len(born))])
            alive = torch.cat([alive, children])
            scores = torch.cat([scores, torch.tensor([person.fitness for person in born])])
            people = people + born
        return Lineage(people)

    def family(self, parents: torch.Tensor, generator: torch.Generator | None = None) -> Lineage:
        """Children of two parents [2, G], without selection."""
        return self.breed(parents, lambda genotype: torch.zeros(len(genotype)), 1, generator)

    def _record(
        self,
        people: list[Individual],
        genotype: torch.Tensor,
        parents: list[list[int]],
        unmutated: torch.Tensor,
        generation: int,
        fitness: Fitness,
    ) -> list[Individual]:
        scores = fitness(genotype).tolist()
        if any(map(math.isnan, scores)):
            row = next(index for index, score in enumerate(scores) if math.isnan(score))
            raise UserError(f"the fitness of genotype {genotype[row].tolist()} is no number; every one needs one")
        strings = self.genome.to_strings(genotype)
        changed = [row.nonzero().flatten().tolist() for row in genotype.cpu() != unmutated.cpu()]
        return [
            Individual(len(people) + i, generation, strings[i], parents[i], changed[i], scores[i])
            for i in range(len(strings))
        ]


def _pairs(n: int, count: int, generator: torch.Generator | None) -> torch.Tensor:
    """Two different parents out of `n` for each of `count` children, [2, count]; the same one twice where n is 1."""
    first = torch.randint(n, (count,), generator=generator)
    if n == 1:
        return torch.stack([first, first])
    return torch.stack([first, (first + torch.randint(1, n, (count,), generator=generator)) % n])
