"""The work of `stylegenes tradeoff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from stylegenes.analysis.exhibits.conditional import trade_off_exhibit
from stylegenes.analysis.tradeoff import Method, Referee, averages, conditional_methods, genome_methods, trade_off
from stylegenes.analysis.wishes import check_temperature, find_attribute, parse_where
from stylegenes.cli.console import say, show_table, track
from stylegenes.cli.workbench import Workbench, open_workbench
from stylegenes.data import PackedDataset
from stylegenes.errors import UserError
from stylegenes.metrics import load_classifier
from stylegenes.metrics.reference import measure_real, open_real
from stylegenes.snapshot import load_snapshot
from stylegenes.words import command

if TYPE_CHECKING:
    from stylegenes.cli.tradeoff import Args


def run(args: Args) -> None:
    """Measure every method on every set of wishes."""
    bench = open_workbench(args.snapshot, args.classifier, args.device)
    second = load_classifier(args.second, bench.device)
    if second.weights_hash == bench.classifier.weights_hash:
        raise UserError(
            f"the second classifier is the one of the survey ({bench.classifier.name}); accuracy must be judged by "
            "one that had no part in it: avatars32-second-judge for avatars, or one that you train with another seed: "
            f"{command('classifier', 'DATA', '--seed', '1', '--out', 'second-judge')}"
        )
    sets = [parse_where(text, bench.statistics.attributes) for text in args.wishes.split(";") if text.strip()]
    if not sets or args.num < 2 or args.tries < 1:
        raise UserError("--wishes needs at least one wish, --num at least 2 pictures and --tries at least 1")
    for wish in (wish for wishes in sets for wish in wishes):
        find_attribute(wish.attribute, second.attributes)
    synthesis = bench.snapshot.generator.synthesis
    data = open_real(bench.snapshot.card, args.data, synthesis.resolution, synthesis.image_channels)
    methods = genome_methods(bench.judge, bench.statistics, _temperatures(args.temperatures), tries=args.tries)
    methods += _baseline(args, bench, data)
    real = measure_real(data, bench.folder / "reals", bench.device)

    def apart(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return bench.perceptual(a.to(bench.device), b.to(bench.device)).cpu()

    referee = Referee(bench.classifier, second, real.of_pictures, apart)
    outcomes = trade_off(methods, sets, referee, args.num, seed=args.seed)
    rows = averages(list(track(outcomes, "trade-off", len(methods) * len(sets))))
    caption = (
        f"Means over {len(sets)} sets of wishes ({args.wishes}), {args.num:,} pictures each, against {len(data):,} "
        f"reals ({real.name}; two halves of the reals are {real.floor:.2f} apart). Accuracy by {second.name}, which "
        f"had no part in the statistics; the table also has {bench.classifier.name}'s own. 'accepted': the "
        f"survey's classifier accepts a candidate with its probability, {args.tries} tries at most."
    )
    bench.show(trade_off_exhibit(rows, real.name, caption))
    lines = [
        {
            "method": row.method,
            "setting": row.setting,
            "accuracy": row.accuracy,
            "by the second": row.second_accuracy,
            real.name: row.frechet,
            "variety": row.variety,
        }
        for row in rows
    ]
    show_table(lines, "averages over the wishes")
    say(f"floor of {real.name}: {real.floor:.2f}")


def _baseline(args: Args, bench: Workbench, data: PackedDataset) -> list[Method]:
    if args.baseline is None:
        return []
    generator = load_snapshot(args.baseline, bench.device).generator
    labels = data.labels(torch.arange(len(data)))
    return conditional_methods(generator, labels, data.label_names)


def _temperatures(text: str) -> list[float]:
    try:
        return [check_temperature(float(part)) for part in text.split(",")]
    except ValueError as error:
        raise UserError(f"--temperatures {text!r} are not positive numbers with commas between") from error
