"""write a snapshot as an ONNX file that needs neither torch nor stylegenes

Examples:
  stylegenes export runs/0001 --onnx model.onnx
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """Write a snapshot as an ONNX file that needs neither torch nor stylegenes."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot) or name of a shipped model"""
    onnx: Path
    """the file to write"""
    psi: float = 1.0
    """truncation that is built in"""


def run(args: Args) -> None:
    """Export, compare with ONNX Runtime where it is installed, and say what the inputs are.

    Raises:
        UserError: without the package onnx, for a bad snapshot, or when the two disagree.
    """
    from stylegenes.cli.console import say
    from stylegenes.interop.onnx import check_onnx, export_onnx
    from stylegenes.snapshot import load_snapshot

    generator = load_snapshot(args.snapshot).generator
    export_onnx(generator, args.onnx, psi=args.psi)
    difference = check_onnx(generator, args.onnx, psi=args.psi)
    inputs = "code [N, ...]" + (" and label [N, L]" if generator.label_dim else "")
    say(f"wrote {args.onnx}: {inputs} in, image [N, C, H, W] in [-1, 1] out, stored noise")
    if difference is None:
        say("not compared with ONNX Runtime, which is not installed: pip install 'stylegenes[onnx]'")
    else:
        say(f"compared with ONNX Runtime on random codes: largest difference {difference:.2g}")
