"""faces of the models in the package, steered and edited, within seconds; then train a small one of your own

Examples:
  stylegenes demo                      pictures at once, then a few minutes of training; the same again continues
  stylegenes demo --minutes 0.5        a shorter sitting
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylegenes.errors import UserError
from stylegenes.words import command

if TYPE_CHECKING:
    from stylegenes.model import Model
    from stylegenes.training import RunResult

RECIPE = "quick32"
"""Of the small recipes the one that shows faces soonest, see docs/trials.md."""
SHOWN = ("Smiling", "Long_Hair", "Full_Beard", "Eyeglasses", "Gray_Hair", "Dark_Skin")
"""Attributes of the embedded faces that the shipped models are steered and edited towards."""
TEMPERATURE, EDITED_SEED = 0.5, 32
MADE = "stylegenes demo"
"""How what made a picture of the demo begins, so that the next sitting replaces it and no others."""


@dataclass(frozen=True)
class Args:
    """Show what the models in the package can do, then train a small one."""

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
    _say_what_is_next(result, args, _draw(result, args.folder))


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
            _show_genes(model, folder)


def _show_genes(model: Model, folder: Path) -> None:
    """Rows of faces by wish, and one face with several edits; what an earlier sitting drew of these weights stays."""
    from stylegenes.analysis.exhibits.strips import edit_strip, wished
    from stylegenes.analysis.wishes import Wish
    from stylegenes.cli.console import say
    from stylegenes.sheets import made_by_what

    places = [folder / f"{model.card.name}-{what}.png" for what in ("by-wish", "edits")]
    origin = model.origin()
    origin = origin.made(f"{MADE} of the weights {origin.weights}")
    if all(made_by_what(place) == origin.more["Made"] for place in places):
        say(f"by wish and edited, drawn before: {places[0]}, {places[1]}")
        return
    study = model.study
    names = study.statistics.attributes
    columns = [names.index(name) for name in SHOWN if name in names]
    wishes = [Wish(names[column], column) for column in columns]
    by_wish = wished(study, wishes, TEMPERATURE).draw(_place(places[0]), origin)
    say(f"faces by wish in {by_wish}: a row for each wish, and how many the classifier finds to fulfil it")
    edits = edit_strip(study, columns, EDITED_SEED).draw(_place(places[1]), origin)
    say(f"one face, edited, in {edits}: a few of its {study.genome.num_genes} genes exchanged for each attribute")


def _train(args: Args) -> RunResult:
    from stylegenes.cli.console import say
    from stylegenes.recipes import recipe
    from stylegenes.training import apply_overrides, train

    config = apply_overrides(recipe(RECIPE), [f"data.source=avatars:n={args.images}", "intervals.image_kimg=2"])
    run = args.folder / "run"
    say("")
    say(f"Now a model of your own: the recipe {RECIPE} in {run} for {args.minutes:g} minutes; Ctrl-C ends it sooner")
    say("What to expect: colors within a minute, heads after 20 thousand images, eyes and mouths after 30 thousand")
    return train(config, run, max_seconds=60 * args.minutes)


def _place(path: Path) -> Path:
    """Where a picture of the demo goes: over an older one of the demo, and over nothing else."""
    from stylegenes.sheets import free_path

    return free_path(path, MADE, over=MADE)


def _draw(result: RunResult, folder: Path) -> list[tuple[Path, str]]:
    """New pictures of the trained model; where each is, and what it shows."""
    from stylegenes.training.images import over_time

    samples = _sample(result.snapshot, folder / "samples.png", count=36)
    way = _sample(result.snapshot, folder / "interpolation.png", interpolate="8")
    drawn = [(samples, "new faces, one for each seed"), (way, "the way from one genotype to the next")]
    if (sheet := over_time(result.folder)) is not None:
        place = replace(sheet, origin=sheet.origin.made(MADE)).save(_place(folder / "over-time.png"))
        drawn.append((place, "the same codes over the course of training, a row for each time"))
    return drawn


def _sample(snapshot: Path, out: Path, *, count: int | None = None, interpolate: str | None = None) -> Path:
    """`stylegenes sample`, over an older picture that it made of this snapshot, and over nothing else."""
    from stylegenes.cli import sample
    from stylegenes.cli.places import made_by
    from stylegenes.sheets import free_path

    args = sample.Args(snapshot=snapshot, out=out, count=count, interpolate=interpolate)
    place = free_path(out, made_by(args), (".json",))
    sample.run(replace(args, out=place))
    return place


def _say_what_is_next(result: RunResult, args: Args, drawn: list[tuple[Path, str]]) -> None:
    from stylegenes.cli.console import say
    from stylegenes.recipes.tiny import FACES_AFTER_KIMG

    folder = args.folder
    progress = "finished" if result.finished else "the same command continues it"
    say(f"\n{result.images:,} images seen in {result.seconds / 60:.1f} minutes ({progress}). Look at:")
    drawn = [*drawn, (result.folder / "samples", "all grids of the training, and real faces")]
    width = max(len(str(path)) for path, _ in drawn)
    for path, what in drawn:
        say(f"  {path!s:<{width}}   {what}")
    if result.images < 1000 * FACES_AFTER_KIMG[RECIPE]:
        own = () if folder == Args.folder else ("--folder", folder)
        go_on = command("demo", *own, "--minutes", "10")
        wanted = f"{1000 * FACES_AFTER_KIMG[RECIPE]:,.0f}"
        say(f"Too early for faces: they take some {wanted} images. Go on with: {go_on}")
    say("\nNext:")
    say('  stylegenes sample avatars32 --where "Smiling=1,Long_Hair=0"   the shipped model, by wish')
    say("  stylegenes edit avatars32 --seed 3 --set Eyeglasses=1         one of its faces, and what else changed")
    draw = command("sample", result.folder)
    say(f"  {draw} --seeds 100-115 --out more.png      other faces")
    say(f"  {draw} --mix all --out mixing.png          coarse, middle and fine styles mixed")
    say(f"  {draw} --interpolate 24 --out way.gif      an animation")
