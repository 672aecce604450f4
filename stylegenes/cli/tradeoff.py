"""what conditional sampling costs: accuracy against Frechet distance and variety, over temperatures

Examples:
  stylegenes tradeoff runs/0001 --wishes "Smiling=1;Smiling=0;Hat=1,Male=0" --second other-classifier
  stylegenes tradeoff runs/0001 --wishes "Smiling=1;Smiling=0" --second other-classifier --baseline runs/conditional
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from stylegenes.analysis.tradeoff import Method
    from stylegenes.data import PackedDataset
    from stylegenes.model import Model


@dataclass(frozen=True)
class Args:
    """What conditional sampling costs."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name, with a survey"""
    second: Path
    """a second attribute classifier, which had no part in the survey: it measures the accuracy"""
    wishes: str
    """sets of wishes with semicolons between, like "Smiling=1;Smiling=0;Hat=1,Male=0" """
    temperatures: str = "1,0.8,0.5,0.3"
    """temperatures with commas between"""
    data: str | None = None
    """real pictures; otherwise those that the model was trained on"""
    baseline: Path | None = None
    """snapshot of a conditional model with the data's labels, to compare with"""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 2000
    """pictures for each number of the table"""
    tries: int = 16
    """most pictures classified for one that is kept, by the method that accepts"""
    seed: int = 0
    """of all draws"""
    classifier: Path | None = None
    """attribute classifier; otherwise the one of the survey"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Measure every method on every set of wishes.

    Raises:
        UserError: for unknown attributes, or when the second classifier is the first.
    """
    import torch

    from stylegenes.analysis.exhibits.conditional import trade_off_exhibit
    from stylegenes.analysis.tradeoff import Referee, averages, genome_methods, trade_off
    from stylegenes.analysis.wishes import find_attribute, parse_where
    from stylegenes.cli.console import progress, say, show_table, track
    from stylegenes.cli.places import show_exhibit
    from stylegenes.errors import UserError
    from stylegenes.metrics import load_classifier
    from stylegenes.metrics.reference import measure_real
    from stylegenes.model import open_model
    from stylegenes.words import command

    model = open_model(args.snapshot, classifier=args.classifier, device=args.device)
    second = load_classifier(args.second, model.device)
    if second.weights_hash == model.classifier.weights_hash:
        raise UserError(
            f"the second classifier is the one of the survey ({model.classifier.name}); accuracy must be measured by "
            "one that had no part in it: avatars32-second-judge for avatars, or one that you train with another seed: "
            f"{command('classifier', 'DATA', '--seed', '1', '--out', 'second-classifier')}"
        )
    sets = [parse_where(text, model.statistics.attributes) for text in args.wishes.split(";") if text.strip()]
    if not sets or args.num < 2 or args.tries < 1:
        raise UserError("--wishes needs at least one wish, --num at least 2 pictures and --tries at least 1")
    for wish in (wish for wishes in sets for wish in wishes):
        find_attribute(wish.attribute, second.attributes)
    data = model.real(args.data)
    methods = genome_methods(model.study.labeler, model.statistics, _temperatures(args.temperatures), tries=args.tries)
    methods += _baseline(args, model, data)
    with progress("real pictures") as bar:
        real = measure_real(data, model.study.folder / "reals", model.device, bar)

    def apart(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return model.study.perceptual(a.to(model.device), b.to(model.device)).cpu()

    referee = Referee(model.classifier, second, real.of_pictures, apart)
    outcomes = trade_off(methods, sets, referee, args.num, seed=args.seed)
    rows = averages(list(track(outcomes, "trade-off", len(methods) * len(sets))))
    caption = (
        f"Means over {len(sets)} sets of wishes ({args.wishes}), {args.num:,} pictures each, against {len(data):,} "
        f"reals ({real.name}; two halves of the reals are {real.floor:.2f} apart). Accuracy by {second.name}, which "
        f"had no part in the statistics; the table also has {model.classifier.name}'s own. 'accepted': the "
        f"survey's classifier accepts a candidate with its probability, {args.tries} tries at most."
    )
    show_exhibit(args, model, trade_off_exhibit(rows, real.name, caption))
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


def _baseline(args: Args, model: Model, data: PackedDataset) -> list[Method]:
    import torch

    from stylegenes.analysis.tradeoff import conditional_methods
    from stylegenes.snapshot import load_snapshot

    if args.baseline is None:
        return []
    generator = load_snapshot(args.baseline, model.device).generator
    labels = data.labels(torch.arange(len(data)))
    return conditional_methods(generator, labels, data.label_names)


def _temperatures(text: str) -> list[float]:
    from stylegenes.analysis.wishes import check_temperature
    from stylegenes.errors import UserError

    try:
        return [check_temperature(float(part)) for part in text.split(",")]
    except ValueError as error:
        raise UserError(f"--temperatures {text!r} are not positive numbers with commas between") from error
