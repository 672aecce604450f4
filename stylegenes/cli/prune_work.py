"""The work of `stylegenes prune`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stylegenes.analysis.exhibits.models import pruning_exhibit
from stylegenes.analysis.pruning import prune, pruning_curve
from stylegenes.cli.console import say
from stylegenes.cli.workbench import Workbench, open_workbench
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.metrics.reference import measure_real, open_real
from stylegenes.notation import parse_seeds
from stylegenes.snapshot import Card, place_for_snapshot, save_snapshot

if TYPE_CHECKING:
    from stylegenes.cli.prune import Args


def run(args: Args) -> None:
    """Prune or measure, or both."""
    if args.num is None and args.curve is None:
        raise UserError("say how many variants to replace (--num 16 --out FOLDER) or measure some (--curve 0,8,16)")
    if (args.num is None) != (args.out is None):
        raise UserError("--num and --out go together: how many variants to replace, and where the snapshot goes")
    if args.out is not None:
        place_for_snapshot(args.out)
    bench = open_workbench(args.snapshot, None, args.device)
    if args.curve is not None:
        _measure(bench, parse_seeds(args.curve, "numbers of pruned variants"), args)
    if args.num is not None:
        _write(bench, args.num, args)


def _write(bench: Workbench, num: int, args: Args) -> None:
    assert args.out is not None
    card = bench.snapshot.card
    pruned = prune(bench.snapshot.generator, bench.realness, num)
    note = f"{num} least real of {bench.genome.num_variants} variants of each gene replaced by the most real ones."
    child = Card(
        name=f"{card.name}-pruned{num}",
        recipe=card.recipe,
        images_seen=card.images_seen,
        data=card.data,
        license=card.license,
        parent=bench.name,
        notes=f"{card.notes}\n{note}".strip(),
    )
    save_snapshot(args.out, pruned, child, discriminator=bench.snapshot.discriminator)
    say(f"{note}\nsnapshot: {args.out}")


def _measure(bench: Workbench, numbers: list[int], args: Args) -> None:
    generator = bench.snapshot.generator
    data = open_real(bench.snapshot.card, args.data, generator.synthesis.resolution, generator.synthesis.image_channels)
    real = measure_real(data, bench.folder / "reals", bench.device)

    def distance(pruned: Generator, seed: int) -> float:
        found = real.of_generator(pruned, args.samples, seed)
        say(f"run {seed}: {real.name} {found:.3f}")
        return found

    points = []
    for number in numbers:
        say(f"{number} pruned variants")
        points += pruning_curve(generator, bench.realness, [number], distance, runs=args.runs)
    caption = (
        f"The least real variants of every gene replaced by the most real ones; {args.samples:,} pictures a run "
        f"against {len(data):,} reals. Realness: mean logit of the discriminator over the survey. "
        f"Two halves of the reals are {real.floor:.2f} apart."
    )
    bench.show(pruning_exhibit(points, real.name, caption))
    for point in points:
        say(f"{point.num_pruned:>5} pruned: {real.name} {point.mean:.3f} +- {point.spread:.3f}")
