"""find linear attribute directions in a model's latent space and say how good they are

Examples:
  stylegenes directions runs/0001 --classifier my-classifier    5,000 samples; tables, figures, directions in one folder
  stylegenes directions runs/0001 --classifier my-classifier --attributes Smiling,Glasses
  stylegenes directions runs/0001 --survey runs/0001/survey    labels of a finished survey
  stylegenes directions runs/0001 --labels mine.csv            your own labels: a column 'code', one per attribute
  stylegenes move runs/0001 directions/w-l1 Smiling            what to do with them
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

if TYPE_CHECKING:
    from stylegenes.analysis.attribute_study import AttributeStudy
    from stylegenes.analysis.samples import LabeledCodes
    from stylegenes.model import Model


@dataclass(frozen=True)
class Args:
    """Find attribute directions."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    classifier: Path | None = None
    """attribute classifier: labels the samples, and measures what moving along the directions changes"""
    survey: Path | None = None
    """take codes and labels of this survey instead of drawing new samples"""
    labels: Path | None = None
    """take codes and labels of this CSV instead"""
    samples: int = 5000
    """how many samples to draw, or to take of a survey at most"""
    attributes: str | None = None
    """only these attributes, with commas between"""
    penalty: Literal["l1", "l2", "both"] = "both"
    """penalty of the logistic regression: l1 leaves few coordinates"""
    c: float = 0.1
    """inverse strength of the penalty"""
    out: Path | None = None
    """folder to write (default: MODEL-directions, or the next free name)"""
    seed: int = 0
    """of the samples and the folds"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Fit, write and say where.

    Raises:
        UserError: for options that exclude each other, and whatever is wrong with them or the model.
    """
    from stylegenes.cli.console import Bars, say
    from stylegenes.cli.places import folder_place, made_by
    from stylegenes.model import open_model

    _check(args)
    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    given = _given(args, model)
    wanted = None if args.attributes is None else [name.strip() for name in args.attributes.split(",")]
    how = {"attributes": wanted, "c": args.c, "seed": args.seed, "measure": args.classifier is not None}
    with Bars() as bars:
        penalties = ("l1", "l2") if args.penalty == "both" else (args.penalty,)
        found = model.directions(given, penalties=penalties, **how, on_progress=bars.update)
    out = found.made(made_by(args)).save(folder_place(args, f"{model.card.name}-directions"))
    _show(found, args.c)
    say(f"tables, figures and directions in {out}")
    if found.effects is None:
        say("no --classifier: what moving along the directions changes was not measured")


def _check(args: Args) -> None:
    from stylegenes.errors import UserError

    if sum(given is not None for given in (args.survey, args.labels)) > 1:
        raise UserError("--survey and --labels each say where labels come from; give one of them")
    if args.classifier is None and args.survey is None and args.labels is None:
        raise UserError("labels are needed: give --classifier, --survey or --labels")


def _given(args: Args, model: Model) -> int | LabeledCodes:
    """Codes with labels, of a table or a survey; or how many are drawn."""
    from stylegenes.analysis.samples import read_labels, survey_labels
    from stylegenes.survey import Survey

    if args.labels is not None:
        return read_labels(args.labels, model.generator)
    if args.survey is not None:
        return survey_labels(Survey(args.survey), model.generator).first(args.samples)
    return args.samples


def _show(found: AttributeStudy, c: float) -> None:
    from dataclasses import asdict

    from stylegenes.analysis.direction_study import STEPS
    from stylegenes.cli.console import show_table

    for penalty in found.fits.penalties:
        show_table(found.table(penalty), f"{penalty.upper()}, C = {c:g}, 10 folds, {len(found.samples)} samples")
    if found.effects is not None:
        brief = [{key: row[key] for key in list(row)[:5]} for row in found.effects.rows]
        show_table(brief, f"moves of {STEPS:g} standard deviations in W, {found.effects.pictures} pictures")
        sparse = [asdict(row) for row in found.effects.sparsity]
        show_table(sparse, "how few coordinates carry an attribute (L1, W)")
