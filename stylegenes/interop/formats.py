"""A model as a file that runs without stylegenes; the name's ending says which."""

from __future__ import annotations

from pathlib import Path

import torch

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop.exporting import Given
from stylegenes.interop.onnx import check_onnx, export_onnx
from stylegenes.interop.program import check_program, export_program
from stylegenes.snapshot import Card

FORMATS = {".onnx": (export_onnx, check_onnx), ".pt2": (export_program, check_program)}
"""How a file is written, and read again and compared, by the ending of its name."""


def check_ending(path: str | Path, *allowed: str) -> str:
    """The ending of `path`, one of `allowed`, or of all that are known.

    Raises:
        UserError: for another one.
    """
    ending, allowed = Path(path).suffix.lower(), allowed or tuple(FORMATS)
    if ending not in allowed:
        kinds = {".onnx": ".onnx (ONNX)", ".pt2": ".pt2 (a program of torch.export)"}
        raise UserError(f"{path} must end in {' or '.join(kinds[one] for one in allowed)}")
    return ending


def export_file(
    generator: Generator,
    path: str | Path,
    *,
    card: Card | None = None,
    psi: float = 1.0,
    given: Given = "code",
    clamp: bool = True,
    camera: torch.Tensor | None = None,
) -> float | None:
    """Write `generator` in the format that the name asks for, and compare what is read again with it.

    Args:
        generator: on the CPU, in eval mode.
        path: the file to write, all or nothing.
        card: provenance, for the file's facts.
        psi: truncation that is built in.
        given: what goes in: codes, w [N, w_dim], or ws [N, num_ws, w_dim] with a w for every layer.
        clamp: keep pictures within [-1, 1]; without it they go as far beyond as the network makes them.
        camera: [1, 25], through which all pictures of a 3D model are seen; None makes it an input.

    Returns:
        The largest difference of a pixel, relative to the largest value; None for ONNX without ONNX Runtime.

    Raises:
        UserError: for another ending, without the package onnx, for a network that cannot be exported, and when the
            two disagree.
        OSError: when the file cannot be written.
    """
    write, compare = FORMATS[check_ending(path)]
    write(generator, path, card=card, psi=psi, given=given, clamp=clamp, camera=camera)
    return compare(generator, path, psi=psi, given=given, clamp=clamp, camera=camera)
