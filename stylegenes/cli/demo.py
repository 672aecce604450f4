"""faces of the model in the package, steered and edited, within seconds; then train a small one of your own

Examples:
  stylegenes demo                      pictures at once, then a few minutes of training; the same again continues
  stylegenes demo --minutes 0.5        a shorter sitting
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegenes.errors import UserError
from stylegenes.words import command

if TYPE_CHECKING:
    from stylegenes.model import Model
    from stylegenes.training import RunResult

RECIPE = "tiny32-relativistic"
"""Of the small recipes the one that shows faces soonest, see docs/trials.md."""
SHOWN = ("Smiling", "Long_Hair", "Full_Beard", "Eyeglasses", "Gray_Hair", "Dark_Skin")
"""Attributes of the embedded faces that the shipped model is steered and edited towards."""
TEMPERATURE, EDITED_SEED = 0.5, 32


@dataclass(frozen=True)
class Args:
    """Show what the model in the package can do, then train a small one."""

    folder: Path = Path("stylegenes-demo")
    """where the run and its pictures go"""
    minutes: float = 4.0
    """length of this sitting; the next one continues"""
    images: int = 6000
    """faces to render, once; they are cached"""


def run(args: Args) -> None:
    """Show the shipped models, train, draw, and say what to do next.

    Raises:
        UserError: for sizes that make no sense, and whatever training refuses.
    """
    if args.minutes <= 0 or args.images < 100:
        raise UserError(f"--minutes {args.minutes} must be positive and --images {args.images} at least 100")
    _show_shipped(args.folder)
    result = _train(args)
    _draw(result, args.folder)
    _say_what_is_next(result, args)


def _show_shipped(folder: Path) -> None:
    """Samples of the models that come with the package, and what their genes do: the first pictures, within seconds."""
    from stylegenes.cli.console import say
    from stylegenes.model import open_model
    from stylegenes.snapshot import shipped_models

    for name in shipped_models():
        say(f"The model that comes with the package, {name}; it never saw a label:")
        _sample(Path(name), folder / f"{name}-samples.png")
        model = open_model(name)
        if model.study.is_surveyed:
            _show_genes(model, folder / f"{name}-by-wish.png", folder / f"{name}-edits.png")


def _show_genes(model: Model, by_wish: Path, edits: Path) -> None:
    """Rows of faces by wish, and one face with several edits."""
    from stylegenes.analysis.exhibits.strips import edit_strip, wished
    from stylegenes.analysis.wishes import Wish
    from stylegenes.cli.console import say

    study, origin = model.study, model.origin()
    names = study.statistics.attributes
    columns = [names.index(name) for name in SHOWN if name in names]
    wishes = [Wish(names[column], column) for column in columns]
    wished(study, wishes, TEMPERATURE).draw(by_wish, origin)
    say(f"faces by wish in {by_wish}: a row for each wish, and how many the classifier finds to fulfil it")
    edit_strip(study, columns, EDITED_SEED).draw(edits, origin)
    say(f"one face, edited, in {edits}: a few of its {study.genome.num_genes} genes exchanged for each attribute")


def _train(args: Args) -> RunResult:
    from stylegenes.cli.console import say
    from stylegenes.recipes import recipe
    from stylegenes.training import apply_overrides, train

    config = apply_overrides(recipe(RECIPE), [f"data.source=avatars:n={args.images}", "intervals.image_kimg=2"])
    run = args.folder / "run"
    say("")
    say(f"Now a model of your own: the recipe {RECIPE} in {run} for {args.minutes:g} minutes; Ctrl-C ends it sooner")
    say("What to expect: colors within a minute, heads and hair after 20 thousand images, faces after 30 thousand")
    return train(config, run, max_seconds=60 * args.minutes)


def _draw(result: RunResult, folder: Path) -> None:
    from stylegenes.training.images import over_time

    _sample(result.snapshot, folder / "samples.png", count=36)
    _sample(result.snapshot, folder / "interpolation.png", interpolate="8")
    if (sheet := over_time(result.folder)) is not None:
        sheet.save(folder / "over-time.png")


def _sample(snapshot: Path, out: Path, *, count: int | None = None, interpolate: str | None = None) -> None:
    from stylegenes.cli import sample

    sample.run(sample.Args(snapshot=snapshot, out=out, count=count, interpolate=interpolate))


def _say_what_is_next(result: RunResult, args: Args) -> None:
    from stylegenes.cli.console import say
    from stylegenes.recipes.tiny import HEADS_AFTER_KIMG

    folder = args.folder
    progress = "finished" if result.finished else "the same command continues it"
    say(f"\n{result.images:,} images seen in {result.seconds / 60:.1f} minutes ({progress}). Look at:")
    say(f"  {folder / 'samples.png'}         new faces, one for each seed")
    say(f"  {folder / 'interpolation.png'}   the way from one genotype to the next")
    say(f"  {folder / 'over-time.png'}       the same codes over the course of training, a row for each time")
    say(f"  {result.folder / 'samples'}/             all grids of the training, and real faces")
    if result.images < 1000 * HEADS_AFTER_KIMG:
        own = () if folder == Args.folder else ("--folder", folder)
        go_on = command("demo", *own, "--minutes", "10")
        wanted = f"{1000 * HEADS_AFTER_KIMG:,.0f}"
        say(f"Too early for faces: they take some {wanted} images. Go on with: {go_on}")
    say("\nNext:")
    say('  stylegenes sample avatars32 --where "Smiling=1,Long_Hair=0"   the shipped model, by wish')
    say("  stylegenes edit avatars32 --seed 3 --set Eyeglasses=1         one of its faces, and what else changed")
    draw = command("sample", result.folder)
    say(f"  {draw} --seeds 100-115 --out more.png      other faces")
    say(f"  {draw} --mix all --out mixing.png          coarse, middle and fine styles mixed")
    say(f"  {draw} --interpolate 24 --out way.gif      an animation")
