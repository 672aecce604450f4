"""write a snapshot as an ONNX file that needs neither torch nor stylegenes

Examples:
  stylegenes export runs/0001 --onnx model.onnx
  stylegenes export runs/0001 --onnx from-w.onnx --given w      style vectors in, pictures out
  stylegenes export scenes32 --onnx model.onnx                  a 3D model: codes and cameras in
  stylegenes export scenes32 --onnx side.onnx --yaw 30          all from one side: codes in

Its metadata tells genes, variants, range and how code strings are read; docs/snapshots.md has a reader in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from stylegenes.cli.views import CameraAngles


@dataclass(frozen=True)
class Args:
    """Write a snapshot as an ONNX file that needs neither torch nor stylegenes."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    onnx: Path
    """the file to write"""
    psi: float = 1.0
    """truncation that is built in"""
    given: Literal["code", "w", "ws"] = "code"
    """what goes in: codes, style vectors w, or ws with one for every layer"""
    raw: bool = False
    """leave pictures as the network makes them, which is a little beyond [-1, 1]"""
    side: Annotated[CameraAngles, tyro.conf.arg(name="")] = field(default_factory=CameraAngles)
    """from where all pictures of a 3D model are seen; where nothing is given, cameras go in"""


def run(args: Args) -> None:
    """Export, compare with ONNX Runtime where it is installed, and say what the inputs are.

    Raises:
        UserError: without the package onnx, for a bad snapshot, or when the two disagree.
    """
    from stylegenes.cli.console import say
    from stylegenes.interop.onnx import check_onnx, export_onnx, inputs_of
    from stylegenes.model import open_model

    model, clamp = open_model(args.snapshot, device="cpu"), not args.raw
    how = {"psi": args.psi, "given": args.given, "clamp": clamp, "camera": model.camera(args.side.given)}
    export_onnx(model.generator, args.onnx, card=model.card, **how)
    difference = check_onnx(model.generator, args.onnx, **how)
    axes = inputs_of(model.generator, args.given, how["camera"])
    inputs = " and ".join(f"{name} [{', '.join(sizes)}]" for name, sizes in axes.items())
    bounds = "in [-1, 1]" if clamp else "of no bounds"
    say(f"wrote {args.onnx}: {inputs} in, image [batch, channels, height, width] {bounds} out, stored noise")
    if difference is None:
        say("not compared with ONNX Runtime, which is not installed: pip install 'stylegenes[onnx]'")
    else:
        say(f"compared with ONNX Runtime at batches of 1, 3 and 16: largest difference {difference:.2g}")
