"""bring photos into a model: project, quantize to genotypes, tune

Examples:
  stylegenes invert runs/0001 me.jpg                       style vectors (W) that make the photo, with its errors
  stylegenes invert runs/0001 photos/ --space w+           a folder; one vector for each layer
  stylegenes invert runs/0001 photos/ --space genome       the nearest genotypes by L1, L2 and cosine
  stylegenes invert runs/0001 photos/ --space codebook     a tuned model whose genotypes make the photos
  stylegenes invert runs/0001 me.jpg --space pti           a synthesis network tuned around the projection
  stylegenes invert runs/0001 photos/ --devices 4          four processes, one device each, share a folder's photos
  stylegenes invert scenes32 me.jpg                        a 3D model: its camera is sought together with the code
  stylegenes invert scenes32 me.jpg --yaw 30 --pitch 10    through this camera
  stylegenes invert scenes32 photos/ --camera photos/dataset.json

The same command again goes on where it was stopped, also with another number of processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from stylegenes.cli.views import CameraAngles

if TYPE_CHECKING:
    from stylegenes.shares import Share


@dataclass(frozen=True)
class Where:
    """Which devices work."""

    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""
    devices: int = 1
    """processes, one device each; torchrun and srun bring their own number"""


@dataclass(frozen=True)
class Args:
    """Invert photos."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    photos: tyro.conf.Positional[list[Path]]
    """image files, or folders of them"""
    space: Literal["w", "w+", "genome", "codebook", "pti"] = "w"
    """w, w+: style vectors; genome: nearest genotypes; codebook, pti: tune a copy of the model as well"""
    fit: Literal["crop", "letterbox"] = "crop"
    """crop takes the central part of a photo that has the model's shape, letterbox keeps all and adds bars"""
    steps: int = 400
    """steps of the projection"""
    tuning_steps: int = 300
    """steps of the tuning, for codebook and pti"""
    batch: int = 8
    """photos projected at once"""
    optimize_noise: bool = False
    """optimize the noise inputs too; for w and w+ only"""
    calibrate: int = 8
    """how many of the model's own samples are projected to know what looks out of distribution; 0 skips it"""
    out: Path | None = None
    """folder to write (default: MODEL-inversion, or the next free name)"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    camera: str | None = None
    """of a 3D model: 25 numbers with commas between, a file of them, or cameras that name the photos (dataset.json,
    transforms.json, COLMAP); where nothing is given, cameras are sought"""
    angles: Annotated[CameraAngles, tyro.conf.arg(name="")] = field(default_factory=CameraAngles)
    """from where a 3D model sees all photos, instead"""
    where: Annotated[Where, tyro.conf.arg(name="")] = field(default_factory=Where)
    """devices"""


def run(args: Args) -> None:
    """Invert, write and say where.

    Raises:
        UserError: for unusable photos, or a space that the model does not have.
    """
    from functools import partial

    from stylegenes.sharing import share_out

    share_out(partial(_invert, args), device=args.where.device, devices=args.where.devices)


def _invert(args: Args, share: Share, device: str) -> None:
    """What each process does; the first goes on and tells."""
    from dataclasses import replace

    from stylegenes.cli.console import Bars, say, show_table
    from stylegenes.cli.places import folder_place, made_by
    from stylegenes.inversion.inversion import InversionSettings
    from stylegenes.model import open_model
    from stylegenes.snapshot import save_snapshot
    from stylegenes.words import counted

    settings = InversionSettings(
        args.space, args.steps, args.tuning_steps, args.batch, args.optimize_noise, args.calibrate
    )
    model = open_model(args.snapshot, label=args.label, device=device)
    targets = model.targets(args.photos, settings, args.fit)
    out = share.agree(folder_place(args, f"{model.card.name}-inversion") if share.first else None)
    tell = say if share.first else _not
    tell(f"{counted(len(targets.paths), 'photo')}; the pictures so far are in {out / 'progress.png'}")
    with Bars(show=share.first) as bars:
        seen = {"cameras": args.camera, "view": args.angles.given}
        found = model.invert(targets, settings, **seen, work=out, on_progress=bars.update, on_note=tell, share=share)
    found = replace(found, origin=found.origin.made(made_by(args)))
    found.save(out)
    if found.quantization:
        show_table(found.quantization, f"nearest variants, mean over {counted(len(found.results), 'photo')}")
    if found.tuned is not None:
        show_table(found.tuning, f"{args.space}: what tuning gained, and what it moved")
        say(f"random pictures drifted by {found.tuned.drift.ratio:.1%} of the distance between two of them")
        save_snapshot(out / "tuned", found.tuned.generator, found.tuned_card(model.card))
        say(f"the tuned model is in {out / 'tuned'}; its parent is {model.card.name}")
    show_table(found.summary, f"{found.distance} of each photo")
    say(f"rows of comparison.png: {', '.join(found.rows)}; tables, style vectors and pictures in {out}")


def _not(text: str) -> None:
    """What the processes that do not speak say."""
