"""The work of `stylegenes breed`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from stylegenes.analysis.breeding import CROSSES, Cross, Farm, Lineage, cross_chosen
from stylegenes.analysis.exhibits import Exhibit
from stylegenes.analysis.exhibits.family import family_exhibit, generations_exhibit
from stylegenes.analysis.judge import Judge
from stylegenes.analysis.wishes import Wish, parse_where
from stylegenes.cli.console import say
from stylegenes.cli.workbench import Workbench, open_workbench
from stylegenes.drawing import Look, codes_of_seeds
from stylegenes.errors import UserError
from stylegenes.notation import parse_codes, parse_seeds
from stylegenes.perception.trust import warn_of_doubts

if TYPE_CHECKING:
    from stylegenes.cli.breed import Args

_FOUNDERS, _TOLD = 16, 8


def run(args: Args) -> None:
    """A family, or generations under selection."""
    if bool(args.generations) != (args.fitness is not None):
        raise UserError("selection needs both --generations and --fitness; without them --parents have children")
    if args.generations < 0:
        raise UserError(f"--generations is {args.generations}; give at least 1")
    if args.count is not None and args.count < 1:
        raise UserError(f"--count is {args.count}; at least one child is needed")
    bench = open_workbench(args.snapshot, args.classifier, args.device)
    rng = torch.Generator().manual_seed(args.seed)
    founders = _founders(bench, args, rng)
    cross = _cross(args)
    if args.generations:
        _select(bench, founders, cross, args, rng)
    else:
        _family(bench, founders, cross, args, rng)


def _family(bench: Workbench, parents: torch.Tensor, cross: Cross, args: Args, rng: torch.Generator) -> None:
    if len(parents) != 2:
        raise UserError(f"children have two parents; --parents names {len(parents)}")
    count = args.count or 12
    farm = Farm(bench.genome, cross, args.mutation, population=count, survivors=2)
    lineage = farm.family(parents, rng)
    how = f"genes {args.genes} from parent B" if args.genes else f"{args.cross} crossing"
    caption = f"Children by {how}, mutation rate {args.mutation:g}, seed {args.seed}. The table has every genotype."
    _write(bench, args.out, family_exhibit(bench.snapshot.generator, lineage, Look(), caption), lineage)
    for person in lineage.generation(1)[:_TOLD]:
        say(f"child {person.id}: {person.genotype}")


def _select(bench: Workbench, founders: torch.Tensor, cross: Cross, args: Args, rng: torch.Generator) -> None:
    assert args.fitness is not None
    wishes = parse_where(args.fitness, bench.classifier.attributes)
    count = args.count or 32
    farm = Farm(bench.genome, cross, args.mutation, population=count, survivors=max(2, count // 4))
    lineage = farm.breed(founders, partial(fulfilment, bench.judge, wishes), args.generations, rng)
    caption = (
        f"Selection for {args.fitness}: {count} children a generation, a quarter survives, mutation rate "
        f"{args.mutation:g}. Below, the fittest of some generations. Fitness is the classifier's probability."
    )
    title, look = f"Bred for {args.fitness}", Look()
    exhibit = generations_exhibit(bench.snapshot.generator, lineage, args.generations, look, title, caption)
    _write(bench, args.out, exhibit, lineage)
    best = lineage.generation(args.generations)[0]
    say(f"fittest of the last generation ({best.fitness:.3f}): {best.genotype}")


def fulfilment(judge: Judge, wishes: list[Wish], genotype: torch.Tensor) -> torch.Tensor:
    """Probability that all wishes are fulfilled, taking them as independent, [n]."""
    warn_of_doubts(judge.classifier, [wish.attribute for wish in wishes])
    probability = judge.probabilities(genotype)
    return torch.stack([wish.likelihood(probability) for wish in wishes]).prod(dim=0)


def _write(bench: Workbench, out: Path | None, exhibit: Exhibit, lineage: Lineage) -> None:
    kept = bench.show(exhibit, out).with_suffix(".lineage.json")
    lineage.save(kept)
    say(f"lineage: {kept}")


def _cross(args: Args) -> Cross:
    if args.genes is None:
        return CROSSES[args.cross]
    genes = parse_seeds(args.genes, "genes")
    return lambda a, b, generator: cross_chosen(a, b, genes)


def _founders(bench: Workbench, args: Args, rng: torch.Generator) -> torch.Tensor:
    genome, text = bench.genome, args.parents
    if text is None:
        return genome.sample(_FOUNDERS if args.generations else 2, rng).cpu()
    if all(part.strip().replace("-", "").isdecimal() for part in text.split(",")):
        return codes_of_seeds(bench.snapshot.generator, parse_seeds(text)).cpu()
    return genome.from_strings(parse_codes(text)).cpu()
