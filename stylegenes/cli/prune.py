"""replace the least real variants of every gene by its most real ones

Examples:
  stylegenes prune runs/0001 --num 16 --out pruned               a snapshot with 16 variants of each gene replaced
  stylegenes prune runs/0001 --curve 0,8,16,32,64 --data photos  the Frechet distance of each, five runs
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from stylegenes.generator import Generator
    from stylegenes.model import Model


@dataclass(frozen=True)
class Args:
    """Replace the least real variants of every gene by its most real ones."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder, name of a shipped model or hf://owner/name, with a survey that recorded realness"""
    num: int | None = None
    """variants of each gene to replace, up to half of them"""
    out: Path | None = None
    """folder of the pruned snapshot"""
    curve: str | None = None
    """measure the Frechet distance at these numbers, like 0,8,16,32"""
    data: str | None = None
    """real pictures; otherwise those that the model was trained on"""
    samples: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 10_000
    """pictures for one distance"""
    runs: int = 5
    """distances for each number, with seeds 0, 1, ..."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Prune or measure, or both.

    Raises:
        UserError: when there is nothing to do, or no realness to go by.
    """
    from stylegenes.errors import UserError
    from stylegenes.model import open_model
    from stylegenes.notation import parse_seeds
    from stylegenes.snapshot import place_for_snapshot

    if args.num is None and args.curve is None:
        raise UserError("say how many variants to replace (--num 16 --out FOLDER) or measure some (--curve 0,8,16)")
    if (args.num is None) != (args.out is None):
        raise UserError("--num and --out go together: how many variants to replace, and where the snapshot goes")
    if args.out is not None:
        place_for_snapshot(args.out)
    model = open_model(args.snapshot, device=args.device)
    if args.curve is not None:
        _measure(model, parse_seeds(args.curve, "numbers of pruned variants"), args)
    if args.num is not None:
        _write(model, args.num, args)


def _write(model: Model, num: int, args: Args) -> None:
    from stylegenes.analysis.pruning import prune
    from stylegenes.cli.console import say
    from stylegenes.snapshot import Card, save_snapshot

    assert args.out is not None
    card = model.card
    pruned = prune(model.generator, model.study.realness, num)
    note = (
        f"{num} least real of {model.study.genome.num_variants} variants of each gene replaced by the most real ones."
    )
    child = Card(
        name=f"{card.name}-pruned{num}",
        recipe=card.recipe,
        images_seen=card.images_seen,
        data=card.data,
        license=card.license,
        parent=str(model.reference),
        notes=f"{card.notes}\n{note}".strip(),
    )
    save_snapshot(args.out, pruned, child, discriminator=model.snapshot.discriminator)
    say(f"{note}\nsnapshot: {args.out}")


def _measure(model: Model, numbers: list[int], args: Args) -> None:
    from dataclasses import replace

    from stylegenes.analysis.exhibits.models import pruning_exhibit
    from stylegenes.analysis.pruning import pruning_curve
    from stylegenes.cli.console import progress, say
    from stylegenes.cli.places import show_exhibit
    from stylegenes.metrics.reference import measure_real

    generator = model.generator
    data = model.real(args.data)
    with progress("real pictures") as bar:
        real = measure_real(data, model.study.folder / "reals", model.device, bar)

    def distance(pruned: Generator, seed: int) -> float:
        found = real.of_generator(pruned, args.samples, seed)
        say(f"run {seed}: {real.name} {found:.3f}")
        return found

    points = []
    for number in numbers:
        say(f"{number} pruned variants")
        points += pruning_curve(generator, model.study.realness, [number], distance, runs=args.runs)
    caption = (
        f"The least real variants of every gene replaced by the most real ones; {args.samples:,} pictures a run "
        f"against {len(data):,} reals. Realness: mean logit of the discriminator over the survey. "
        f"Two halves of the reals are {real.floor:.2f} apart."
    )
    show_exhibit(replace(args, out=None), model, pruning_exhibit(points, real.name, caption))
    for point in points:
        say(f"{point.num_pruned:>5} pruned: {real.name} {point.mean:.3f} +- {point.spread:.3f}")
