"""draw pictures from a snapshot

Examples:
  stylegenes sample runs/0001                                   16 pictures in one grid
  stylegenes sample runs/0001 --seeds 0-99 --out faces          100 files and their codes
  stylegenes sample runs/0001 --codes AbC...,XyZ...             the very pictures of these codes
  stylegenes sample runs/0001 --codes grid.png --psi 0.7        a grid again, nearer to the mean (else as it was)
  stylegenes sample runs/0001 --seeds 1-4,11-14 --mix coarse    4 x 4 style mixing
  stylegenes sample runs/0001 --seeds 3,8,5 --interpolate 24 --out way.gif
  stylegenes sample runs/0001 --interpolate 8:both              ways through the code's own space and straight in W
  stylegenes sample runs/0001 --seeds 0-7 --yaw 30 --pitch 10   a 3D model from the right and above
  stylegenes sample runs/0001 --where "Smiling=1,Eyeglasses=0"  pictures by wish, after stylegenes survey
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from stylegenes.cli.views import CameraAngles

if TYPE_CHECKING:
    from stylegenes.choice import Choice, Track
    from stylegenes.drawing import Way

_SHOWN, _SHORT = 8, 240
"""Code strings printed, and the length up to which they are."""


@dataclass(frozen=True)
class WishOptions:
    """What pictures should show."""

    where: str | None = None
    """attributes wanted (1) or not (0), like "Smiling=1,Hat=0@0.3"; needs a survey; @ is a temperature of its own"""
    temperature: float = 0.5
    """of the wishes: lower is more accurate and less varied"""


@dataclass(frozen=True)
class Args:
    """Draw pictures from a snapshot."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    seeds: str | None = None
    """seeds and ranges of seeds, like 0-15,20; a seed always gives the same code"""
    codes: str | None = None
    """code strings with commas between, or a file of them: any picture that a command wrote, JSON, or .txt;
    write --codes=-x for a code that begins with a dash"""
    count: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """pictures when neither seeds nor codes are given: seeds 0 to count - 1 (default 16; 8 to mix, 4 to interpolate)"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """a name without suffix: a folder of single files; .png, .webp: one grid; .gif, .webp, .mp4: the interpolation"""
    wish: Annotated[WishOptions, tyro.conf.arg(name="")] = field(default_factory=WishOptions)
    """what the pictures should show"""
    psi: str | None = None
    """truncation: 1 (default) none, 0 the mean picture, negative opposites; a genome is pulled to its mean code;
    0.7:8 truncates the 8 leading layers only"""
    noise: Literal["const", "random", "none"] | None = None
    """noise inputs: as stored in the model (default), drawn anew for each code, or none"""
    mix: Literal["coarse", "middle", "fine", "all"] | None = None
    """style mixing grid: rows from the first half of the codes, with these styles taken from the second half"""
    interpolate: str | None = None
    """pictures from each code to the next: a strip, or an animation if --out is .gif or .mp4; 8:code goes through
    the code's own space, 8:w straight in W, 8:both shows the two"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between, like Smiling,Male=0.5"""
    side: Annotated[CameraAngles, tyro.conf.arg(name="")] = field(default_factory=CameraAngles)
    """from where a 3D model is seen"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""


def run(args: Args) -> None:
    """Draw, write and say where.

    Raises:
        UserError: for options that exclude each other, and whatever is wrong with them or the snapshot.
    """
    from stylegenes.cli.console import say, track
    from stylegenes.cli.places import made_by
    from stylegenes.model import open_model
    from stylegenes.notation import parse_steps

    _check(args)
    steps, ways = parse_steps(args.interpolate) if args.interpolate is not None else (0, ())
    default = 8 if args.mix else 4 if steps else 16
    model = open_model(args.snapshot, label=args.label, device=args.device)
    choice = model.choose(
        args.count or default,
        seeds=args.seeds,
        codes=args.codes,
        where=args.wish.where,
        temperature=args.wish.temperature,
        psi=args.psi,
        noise=args.noise,
        view=args.side.given,
    )
    choice = replace(choice, origin=choice.origin.made(made_by(args)))
    for note in choice.notes:
        say(note)
    if args.mix is not None:
        _write_mixing(args, choice, args.mix, track)
    elif steps:
        _write_ways(args, choice, steps, ways, track)
    else:
        _write_samples(args, choice, track)


def _check(args: Args) -> None:
    """Refuse options that exclude each other, before the model is loaded."""
    from stylegenes.cli.given import refuse
    from stylegenes.errors import UserError
    from stylegenes.pictures import ANIMATIONS, STILLS
    from stylegenes.sheets import MOVING

    if sum(option is not None for option in (args.seeds, args.codes, args.count)) > 1:
        raise UserError("--seeds, --codes and --count each say which pictures to draw; give one of them")
    if args.wish.where is not None and args.codes is not None:
        raise UserError("--where draws new codes, --codes names old ones; give one of them")
    if args.wish.where is None:
        refuse(args.wish, ("temperature",), "says how strictly a wish is met, and there is none; add --where")
    if args.mix is not None and args.interpolate is not None:
        raise UserError("--mix and --interpolate are two different pictures; give one of them")
    if args.count is not None and args.count < 1:
        raise UserError(f"--count is {args.count}; at least 1 picture can be drawn")
    suffix = "" if args.out is None else args.out.suffix.lower()
    allowed = (*STILLS, *MOVING) if args.interpolate is not None else STILLS
    if suffix and suffix not in allowed:
        hint = "; an animation needs --interpolate" if suffix in ANIMATIONS else ""
        raise UserError(f"--out ends in {suffix}; here it can end in {', '.join(allowed)}{hint}")
    if not suffix and args.out is not None and (args.mix or args.interpolate):
        raise UserError(f"--out {args.out} has no suffix; a grid or strip is one file, like {args.out}.png")


def _write_samples(args: Args, choice: Choice, track: Track) -> None:
    """One grid, or a folder of single files, with the codes beside."""
    from stylegenes.cli.console import say
    from stylegenes.cli.places import picture_place
    from stylegenes.files import write_json
    from stylegenes.sheets import codes_record
    from stylegenes.words import counted, distinct

    # The list of codes lies beside one picture, and in a folder of many.
    beside = (".json",) if args.out is None or args.out.suffix else ()
    out, sheet = picture_place(args, f"{choice.origin.model}-samples.png", beside), choice.samples(track)
    files = [out.name] * len(choice)
    if out.suffix:
        sheet.save(out)
        listing = out.with_suffix(".json")
    else:
        files = [f"{name}.png" for name in distinct(name.replace(" ", "") for name in choice.names)]
        sheet.save_each(out, files)
        listing = out / "codes.json"
    write_json(listing, codes_record(sheet.origin, choice.names, files, sheet.codes))
    # Strings are printed where they are short enough to copy, as a genome's are.
    if out.suffix and len(sheet.codes[0]) <= _SHORT:
        for name, string in list(zip(choice.names, sheet.codes, strict=True))[:_SHOWN]:
            say(f"{name:<10} {string}")
        if len(sheet.codes) > _SHOWN:
            say(f"... and {len(sheet.codes) - _SHOWN} more")
    codes = "its code is" if len(choice) == 1 else f"all {len(choice)} codes are"
    say(f"{counted(len(choice), 'picture')} in {out}; {codes} in {listing}")


def _write_mixing(args: Args, choice: Choice, band: str, track: Track) -> None:
    from stylegenes.cli.console import say
    from stylegenes.cli.places import picture_place

    sheet = choice.mixing(band, track)
    out = sheet.save(picture_place(args, f"{choice.origin.model}-mixing-{band}.png"))
    shown = "coarse, middle, fine" if band == "all" else band
    say(f"style mixing ({shown} styles from the top row) in {out}")


def _write_ways(args: Args, choice: Choice, steps: int, ways: Sequence[Way], track: Track) -> None:
    """Rows of a strip, or an endless animation that returns to the first code."""
    from stylegenes.cli.console import say
    from stylegenes.cli.places import picture_place
    from stylegenes.sheets import FPS, MOVING
    from stylegenes.words import counted

    out = picture_place(args, f"{choice.origin.model}-interpolation.png")
    moving = out.suffix.lower() in MOVING
    sheet = choice.interpolation(steps, ways, moving=moving, track=track)
    sheet.save(out)
    drawn = sheet.origin.more.get("Ways", "")
    if len(ways) > 1 and "," not in drawn:
        say("this latent's own way is the straight one in W; it is drawn once")
    named = f" ({drawn.replace(', ', ' and ')})" if drawn else ""
    if moving:
        frames = counted(len(sheet), "frame")
        say(f"{frames} ({len(sheet) / FPS:.1f} s) between {counted(len(choice), 'code')} in {out}{named}")
    else:
        say(f"a strip of {counted(len(sheet), 'picture')} between {counted(len(choice), 'code')} in {out}{named}")
