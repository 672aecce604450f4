"""train a small genome GAN on the embedded faces and draw samples

Examples:
  stylegenes demo                      a few minutes, then pictures; the same command again continues
  stylegenes demo --minutes 0.5        a shorter sitting
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylegenes.errors import UserError

if TYPE_CHECKING:
    from stylegenes.training import RunResult

RECIPE = "tiny32"
FACES_AFTER = 60_000
"""Images after which the recipe was seen to draw heads; eyes and mouths came after about 140 thousand."""


@dataclass(frozen=True)
class Args:
    """Train a small genome GAN on the embedded faces and draw samples."""

    folder: Path = Path("stylegenes-demo")
    """where the run and its pictures go"""
    minutes: float = 4.0
    """length of this sitting; the next one continues"""
    images: int = 6000
    """faces to render, once; they are cached"""


def run(args: Args) -> None:
    """Render, train, draw, and say what to do next.

    Raises:
        UserError: for sizes that make no sense, and whatever training refuses.
    """
    if args.minutes <= 0 or args.images < 100:
        raise UserError(f"--minutes {args.minutes} must be positive and --images {args.images} at least 100")
    _show_shipped(args.folder)
    result = _train(args)
    _draw(result.snapshot, args.folder)
    _say_what_is_next(result, args)


def _show_shipped(folder: Path) -> None:
    """Samples of the models that come with the package: the first pictures, within seconds."""
    from stylegenes.cli.console import say
    from stylegenes.snapshot import shipped_models

    for name in shipped_models():
        say(f"first the model that comes with the package, {name}:")
        _sample(Path(name), folder / f"shipped-{name}-samples.png")


def _train(args: Args) -> RunResult:
    from stylegenes.cli.console import say
    from stylegenes.recipes import recipe
    from stylegenes.training import apply_overrides, train

    config = apply_overrides(recipe(RECIPE), [f"data.source=avatars:n={args.images}"])
    run = args.folder / "run"
    say(f"training the recipe {RECIPE} in {run} for {args.minutes:g} minutes; Ctrl-C ends sooner, nothing is lost")
    return train(config, run, max_seconds=60 * args.minutes)


def _draw(snapshot: Path, folder: Path) -> None:
    _sample(snapshot, folder / "samples.png", count=36)
    _sample(snapshot, folder / "interpolation.png", interpolate=8)


def _sample(snapshot: Path, out: Path, *, count: int | None = None, interpolate: int | None = None) -> None:
    from stylegenes.cli import sample

    sample.run(sample.Args(snapshot=snapshot, out=out, count=count, interpolate=interpolate))


def _say_what_is_next(result: RunResult, args: Args) -> None:
    from stylegenes.cli.console import say

    folder = args.folder
    progress = "finished" if result.finished else "the same command continues it"
    say(f"\n{result.images:,} images seen in {result.seconds / 60:.1f} minutes ({progress}). Look at:")
    say(f"  {folder / 'samples.png'}         new faces, one for each seed")
    say(f"  {folder / 'interpolation.png'}   the way from one genotype to the next")
    say(f"  {result.folder / 'samples'}/             the same codes over the course of training, and real faces")
    if result.images < FACES_AFTER:
        say(f"Too early for faces: they take some {FACES_AFTER:,} images. Go on with: stylegenes demo --minutes 30")
    say("\nNext:")
    say("  stylegenes sample avatars32 --seeds 0-35 --out faces.png              the model that comes with the package")
    say(f"  stylegenes sample {result.folder} --seeds 100-115 --out more.png      other faces")
    say(f"  stylegenes sample {result.folder} --mix all --out mixing.png          coarse, middle and fine styles mixed")
    say(f"  stylegenes sample {result.folder} --interpolate 24 --out way.gif      an animation")
