"""the most of a device that is yours for some minutes: check, measure, train on, evaluate, and pack up to go on later

Examples:
  stylegenes slot work --minutes 9                           the recipe avatars64, on the fastest device there is
  stylegenes slot work --minutes 9 --bring parcel            go on from what an earlier slot packed
  stylegenes slot work --minutes 9 --bring parcel --out "$OUT"   pack into another folder
  stylegenes slot runs/home --bring parcel --minutes 0       at home: unpack only, then train runs/home/run as usual
  stylegenes slot work --device cpu --minutes 0.5 --recipe tiny32 --data avatars:n=500   a rehearsal

A machine without the package: tools/slot.py in a checkout, with a folder of wheels (docs/training.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from stylegenes.errors import UserError

if TYPE_CHECKING:
    from stylegenes.cli.slot_work import Slot


@dataclass(frozen=True)
class Args:
    """Use a device for some minutes, and pack what is needed to go on."""

    folder: tyro.conf.Positional[Path]
    """working folder; its run is in the folder run, and is continued"""
    minutes: float = 9.0
    """how long the device is ours, from now on; 0 unpacks and does nothing more"""
    bring: Path | None = None
    """parcel of an earlier slot to go on from"""
    out: Path | None = None
    """where the parcel goes: at most 8 files of 15 MiB (default: the folder parcel in the working folder)"""
    recipe: str = "avatars64"
    """settings of a new run"""
    data: str | None = None
    """what is learned; prepared meanwhile (default: what the recipe says)"""
    set: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """override one setting of a new run, KEY=VALUE; may be repeated"""
    device: str = "auto"
    """cpu, cuda, mps; auto takes the fastest there is; CUDA_VISIBLE_DEVICES=1 makes another GPU the first"""
    fakes: int | None = None
    """pictures that are evaluated at the end (default: 10,000 on a GPU, 500 elsewhere); 0 evaluates none"""


def run(args: Args) -> None:
    """Check, measure, train, evaluate, draw and pack.

    Raises:
        UserError: for a time or device that makes no sense, a parcel that is damaged, and whatever training refuses.
    """
    begin(args).run()


def begin(args: Args) -> Slot:
    """The slot that the arguments ask for; its time runs from here on.

    Raises:
        UserError: for a time or device that makes no sense.
    """
    from stylegenes.cli.slot_work import Slot
    from stylegenes.devices import pick_device

    if args.minutes < 0 or (args.minutes == 0 and args.bring is None):
        raise UserError(
            f"--minutes {args.minutes:g} leaves no time to train; 0 unpacks the parcel that --bring names, and more "
            "than 0 is how long the device is yours"
        )
    if ":" in args.device:
        raise UserError(
            f"--device {args.device} names one of several, and a slot is about the first; give the kind alone, with "
            "CUDA_VISIBLE_DEVICES=1 before the command for another GPU"
        )
    return Slot(
        folder=args.folder,
        minutes=args.minutes,
        device=pick_device(args.device),
        recipe=args.recipe,
        overrides=(*([f"data.source={args.data}"] if args.data else []), *args.set),
        out=args.out or args.folder / "parcel",
        bring=args.bring,
        fakes=args.fakes,
    )
