"""write a snapshot as a file that runs without stylegenes: ONNX, or a program of torch.export

Examples:
  stylegenes export runs/0001 --onnx model.onnx                 needs neither torch nor stylegenes
  stylegenes export runs/0001 --pt2 model.pt2                   needs torch alone
  stylegenes export runs/0001 --onnx from-w.onnx --given w      style vectors in, pictures out
  stylegenes export scenes32 --onnx model.onnx                  a 3D model: codes and cameras in
  stylegenes export scenes32 --onnx side.onnx --yaw 30          all from one side: codes in

The file tells genes, variants, range and how code strings are read; docs/snapshots.md has a reader in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from stylegenes.cli.views import CameraAngles


@dataclass(frozen=True)
class Args:
    """Write a snapshot as a file that runs without stylegenes: ONNX, or a program of torch.export."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    onnx: Path | None = None
    """the ONNX file to write"""
    pt2: Path | None = None
    """the program of torch.export to write; this, the other, or both"""
    psi: float = 1.0
    """truncation that is built in"""
    given: Literal["code", "w", "ws"] = "code"
    """what goes in: codes, style vectors w, or ws with one for every layer"""
    raw: bool = False
    """leave pictures as the network makes them, which is a little beyond [-1, 1]"""
    side: Annotated[CameraAngles, tyro.conf.arg(name="")] = field(default_factory=CameraAngles)
    """from where all pictures of a 3D model are seen; where nothing is given, cameras go in"""


def run(args: Args) -> None:
    """Export, read the file again and compare, and say what the inputs are.

    Raises:
        UserError: without the package onnx, for a bad snapshot, or when file and model disagree.
    """
    from stylegenes.cli.console import say
    from stylegenes.errors import UserError
    from stylegenes.interop.exporting import inputs_of
    from stylegenes.interop.formats import check_ending
    from stylegenes.model import open_model

    files = {".onnx": args.onnx, ".pt2": args.pt2}
    wanted = {check_ending(path, ending): path for ending, path in files.items() if path is not None}
    if not wanted:
        raise UserError("say what to write: --onnx model.onnx, or --pt2 model.pt2 for a program of torch.export")
    model = open_model(args.snapshot, device="cpu")
    inputs = inputs_of(model.generator, args.given, model.camera(args.side.given))
    taken = " and ".join(f"{name} [{', '.join(sizes)}]" for name, sizes in inputs.items())
    bounds = "of no bounds" if args.raw else "in [-1, 1]"
    for ending, path in wanted.items():
        difference = model.export(path, psi=args.psi, given=args.given, raw=args.raw, view=args.side.given)
        say(f"wrote {path}: {taken} in, image [batch, channels, height, width] {bounds} out, stored noise")
        runner = "ONNX Runtime" if ending == ".onnx" else "torch"
        if difference is None:
            say("not compared with ONNX Runtime, which is not installed: pip install 'stylegenes[onnx]'")
        else:
            say(f"compared in {runner} at batches of 1, 3 and 16: largest difference {difference:.2g}")
