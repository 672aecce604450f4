"""what conditional sampling costs: accuracy against Frechet distance and variety, over temperatures

Examples:
  stylegenes tradeoff runs/0001 --wishes "Smiling=1;Smiling=0;Hat=1,Male=0" --second other-classifier
  stylegenes tradeoff runs/0001 --wishes "Smiling=1;Smiling=0" --second other-classifier --baseline runs/conditional
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


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
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Measure every method on every set of wishes.

    Raises:
        UserError: for unknown attributes, or when the second classifier is the first.
    """
    from stylegenes.cli.console import Bars, show_table
    from stylegenes.cli.places import show_outcome
    from stylegenes.comparisons import Wanted, parse_temperatures
    from stylegenes.model import open_model

    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    wanted, temperatures = Wanted(args.wishes, args.num, args.tries, args.seed), parse_temperatures(args.temperatures)
    given = {"temperatures": temperatures, "data": args.data, "baseline": args.baseline}
    with Bars() as bars:
        found = model.tradeoff(wanted, args.second, **given, on_progress=bars.update)
    show_table(found.rows, "averages over the wishes")
    show_outcome(args, model, found)
