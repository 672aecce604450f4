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
    from stylegenes.analysis.direction_study import DirectionEffects, SpaceFits
    from stylegenes.analysis.samples import LabeledCodes
    from stylegenes.model import Model, OnProgress


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
    from stylegenes.analysis.direction_study import fit_spaces, study_effects
    from stylegenes.analysis.samples import write_labels
    from stylegenes.cli.console import Bars, say
    from stylegenes.cli.places import folder_place, made_by
    from stylegenes.model import open_model

    _check(args)
    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    classifier = None if args.classifier is None else model.classifier
    with Bars() as bars:
        samples = _samples(args, model, bars.update)
        out = folder_place(args, f"{model.card.name}-directions")
        write_labels(out / "samples.csv", model.generator, samples)
        penalties = ("l1", "l2") if args.penalty == "both" else (args.penalty,)
        fits = fit_spaces(
            model.generator,
            samples,
            penalties,
            args.c,
            seed=args.seed,
            drawing=model.plain_drawing,
            on_progress=bars.update,
        )
    _write_fits(fits, out, model.weights, len(samples), args.c)
    say(f"tables, figures and directions in {out}")
    if classifier is None:
        say("no --classifier: what moving along the directions changes was not measured")
        return
    with Bars() as bars:
        effects = study_effects(
            model.generator,
            classifier,
            model.study.perceptual,
            fits,
            samples,
            seed=args.seed + 1,
            drawing=model.plain_drawing,
            origin=model.origin().made(made_by(args)),
            on_progress=bars.update,
        )
    _write_effects(effects, out)


def _check(args: Args) -> None:
    from stylegenes.errors import UserError

    if sum(given is not None for given in (args.survey, args.labels)) > 1:
        raise UserError("--survey and --labels each say where labels come from; give one of them")
    if args.classifier is None and args.survey is None and args.labels is None:
        raise UserError("labels are needed: give --classifier, --survey or --labels")


def _samples(args: Args, model: Model, on_progress: OnProgress) -> LabeledCodes:
    """Codes with labels, of a table, a survey, or new ones that the classifier labels."""
    import torch

    from stylegenes.analysis.samples import attribute_index, label_samples, read_labels, survey_labels
    from stylegenes.perception.trust import warn_of_doubts
    from stylegenes.survey import Survey

    wanted = None if args.attributes is None else [name.strip() for name in args.attributes.split(",")]
    if args.labels is not None:
        found = read_labels(args.labels, model.generator)
    elif args.survey is not None:
        found = survey_labels(Survey(args.survey), model.generator).first(args.samples)
    else:
        known = list(model.classifier.attributes)
        warn_of_doubts(model.classifier, [known[attribute_index(known, name)] for name in wanted or known])
        random = torch.Generator().manual_seed(args.seed)
        found = label_samples(
            model.generator,
            model.classifier,
            args.samples,
            random=random,
            condition=model.condition,
            progress=lambda done, total: on_progress("classifying samples", done, total),
        )
    return found if wanted is None else found.only(wanted)


def _write_fits(fits: SpaceFits, out: Path, model: str, count: int, c: float) -> None:
    from dataclasses import asdict

    from stylegenes.analysis.latent_files import paper_table, save_directions
    from stylegenes.analysis.latent_plots import plot_fits, write_figure
    from stylegenes.cli.console import show_table
    from stylegenes.files import write_table

    for (space, penalty), found in fits.results.items():
        save_directions(out / f"{space}-{penalty}", found.directions, found.fits, model)
    for penalty in fits.penalties:
        found = fits.of(penalty)
        table = paper_table(found)
        write_table(out / f"table-{penalty}.csv", table)
        write_figure(out / f"auc-{penalty}.png", plot_fits(found))
        show_table(table, f"{penalty.upper()}, C = {c:g}, 10 folds, {count} samples")
    write_table(out / "fits.csv", [asdict(fit) for penalty in fits.penalties for fit in fits.of(penalty)])


def _write_effects(effects: DirectionEffects, out: Path) -> None:
    from dataclasses import asdict

    from stylegenes.analysis.direction_study import STEPS
    from stylegenes.analysis.latent_plots import plot_sparsity, write_figure
    from stylegenes.cli.console import show_table
    from stylegenes.files import write_table

    if effects.rows:
        write_table(out / "effects.csv", effects.rows)
        brief = [{key: row[key] for key in list(row)[:5]} for row in effects.rows]
        show_table(brief, f"moves of {STEPS:g} standard deviations in W, {effects.pictures} pictures")
    if effects.strips is not None:
        effects.strips.save(out / "strips.png")
    if effects.sparsity:
        table = [asdict(row) for row in effects.sparsity]
        write_table(out / "sparsity.csv", table)
        write_figure(out / "sparsity.png", plot_sparsity(effects.sparsity))
        show_table(table, "how few coordinates carry an attribute (L1, W)")
