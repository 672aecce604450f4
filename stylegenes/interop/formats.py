"""A model as a file that runs without stylegenes; the name's ending says which."""

from __future__ import annotations

from pathlib import Path

from stylegenes.errors import UserError
from stylegenes.interop.exporting import PlainGenerator
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


def export_file(flat: PlainGenerator, path: str | Path, *, card: Card | None = None) -> float | None:
    """Write a generator in the format that the name asks for, and compare what is read again with it.

    Args:
        flat: a generator on the CPU, and how it is written.
        path: the file to write, all or nothing.
        card: provenance, for the file's facts.

    Returns:
        The largest difference of a pixel, relative to the largest value; None for ONNX without ONNX Runtime.

    Raises:
        UserError: for another ending, without the package onnx, for a network that cannot be recorded, and when the
            two disagree.
        OSError: when the file cannot be written.
    """
    write, compare = FORMATS[check_ending(path)]
    write(flat, path, card=card)
    return compare(flat, path)
