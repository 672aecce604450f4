"""Generators out as programs of `torch.export`: files that torch runs without stylegenes, as `onnx` writes its own."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.export import Dim, ExportedProgram

from stylegenes.errors import UserError, shown
from stylegenes.files import atomic_path
from stylegenes.interop.exporting import PlainGenerator, facts_of, largest_difference
from stylegenes.snapshot import Card

FACTS = "stylegenes.json"
"""The extra file in the program that tells what it is."""


def export_program(flat: PlainGenerator, path: str | Path, *, card: Card | None = None) -> Path:
    """Write a generator as a program of `torch.export`, a .pt2 file; with the inputs of `export_onnx`.

    The program takes its inputs in the order of the file's facts, `stylegenes.json` among its extra files, and runs on
    the CPU. It holds no names of files or lines of this machine.

    Args:
        flat: a generator on the CPU, and how it is written.
        path: the file to write, all or nothing.
        card: provenance, for the facts.

    Raises:
        UserError: for a network that cannot be recorded.
        OSError: when the file cannot be written.
    """
    with atomic_path(path) as part:
        # Into memory first: torch refuses names that do not end in .pt2, and writes beside what cannot be written.
        data = io.BytesIO()
        torch.export.save(_record(flat), data, extra_files={FACTS: json.dumps(facts_of(flat, card, "program"))})
        part.write_bytes(data.getvalue())
    return Path(path)


def _record(flat: PlainGenerator) -> ExportedProgram:
    # A length that Python asks for by len() becomes a constant; a network asks for shape[0].
    batch = Dim("batch", min=1)
    with torch.no_grad(), _quiet():
        # What forwards read from buffers is known from here on; see HostBuffers.
        flat(*flat.example(2))
        try:
            shapes = ({0: batch}, *([tuple({0: batch} for _ in flat.names[1:])] if flat.names[1:] else []))
            program = torch.export.export(flat, flat.example(2), dynamic_shapes=shapes, strict=False)
        except Exception as error:
            name = flat.generator.synthesis.spec["name"]
            raise UserError(
                f"{name} cannot be recorded by torch.export for any batch: {shown(error, 200)}; an .onnx file may do"
            ) from error
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    return program


@contextmanager
def _quiet() -> Iterator[None]:
    """What torch logs about a failed recording is for those who write torch."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(level)


def check_program(flat: PlainGenerator, path: str | Path) -> float:
    """The largest difference between a generator and its file, read again, relative to the largest pixel value.

    Args:
        flat: what was exported.
        path: of the file.

    Raises:
        UserError: when they differ by more than `TOLERANCE`.
    """
    with Path(path).open("rb") as file:
        program = torch.export.load(file).module()
    return largest_difference(flat, path, lambda inputs: program(*inputs))
