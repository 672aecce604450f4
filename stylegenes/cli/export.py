"""write a snapshot as an ONNX file that needs neither torch nor stylegenes

Examples:
  stylegenes export runs/0001 --onnx model.onnx
  stylegenes export runs/0001 --onnx from-w.onnx --given w      style vectors in, pictures out

Its metadata tells genes, variants, range and how code strings are read; docs/snapshots.md has a reader in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Args:
    """Write a snapshot as an ONNX file that needs neither torch nor stylegenes."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
    onnx: Path
    """the file to write"""
    psi: float = 1.0
    """truncation that is built in"""
    given: Literal["code", "w"] = "code"
    """what goes in: codes, or style vectors w"""
    raw: bool = False
    """leave pictures as the network makes them, which is a little beyond [-1, 1]"""


def run(args: Args) -> None:
    """Export, compare with ONNX Runtime where it is installed, and say what the inputs are.

    Raises:
        UserError: without the package onnx, for a bad snapshot, or when the two disagree.
    """
    from stylegenes.cli.console import say
    from stylegenes.interop.onnx import check_onnx, export_onnx
    from stylegenes.snapshot import load_snapshot

    found, clamp = load_snapshot(args.snapshot), not args.raw
    generator, how = found.generator, {"psi": args.psi, "given": args.given, "clamp": clamp}
    export_onnx(generator, args.onnx, card=found.card, **how)
    difference = check_onnx(generator, args.onnx, **how)
    label_dim = generator.synthesis.label_dim if args.given == "w" else generator.label_dim
    inputs = f"{args.given} [batch, ...]" + (" and label [batch, labels]" if label_dim else "")
    bounds = "in [-1, 1]" if clamp else "of no bounds"
    say(f"wrote {args.onnx}: {inputs} in, image [batch, channels, height, width] {bounds} out, stored noise")
    if difference is None:
        say("not compared with ONNX Runtime, which is not installed: pip install 'stylegenes[onnx]'")
    else:
        say(f"compared with ONNX Runtime at batches of 1, 3 and 16: largest difference {difference:.2g}")
