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
from stylegenes.generator import Generator
from stylegenes.interop.exporting import Given, PlainGenerator, facts_of, largest_difference
from stylegenes.snapshot import Card

FACTS = "stylegenes.json"
"""The extra file in the program that tells what it is."""


def export_program(
    generator: Generator,
    path: str | Path,
    *,
    card: Card | None = None,
    psi: float = 1.0,
    given: Given = "code",
    clamp: bool = True,
    camera: torch.Tensor | None = None,
) -> Path:
    """Write `generator` as a program of `torch.export`, a .pt2 file; inputs and arguments as in `export_onnx`.

    The program takes its inputs in the order of the file's facts, `stylegenes.json` among its extra files, and runs on
    the CPU. It holds no names of files or lines of this machine.

    Args:
        generator: on the CPU, in eval mode.
        path: the file to write, all or nothing.
        card: provenance, for the facts.
        psi: truncation that is built in.
        given: what goes in: codes, w [N, w_dim], or ws [N, num_ws, w_dim] with a w for every layer.
        clamp: keep pictures within [-1, 1]; without it they go as far beyond as the network makes them.
        camera: [1, 25], through which all pictures of a 3D model are seen; None makes it an input.

    Raises:
        UserError: for a network that cannot be exported.
        OSError: when the file cannot be written.
    """
    flat = PlainGenerator(generator, psi, given, clamp, camera).eval()
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


def check_program(
    generator: Generator,
    path: str | Path,
    *,
    psi: float = 1.0,
    given: Given = "code",
    clamp: bool = True,
    camera: torch.Tensor | None = None,
) -> float:
    """The largest difference between `generator` and the file, read again, relative to the largest pixel value.

    Args:
        generator: what was exported.
        path: of the file.
        psi: truncation that was built in.
        given: what the file takes: `code`, `w` or `ws`.
        clamp: whether its pictures are clamped to [-1, 1].
        camera: the one that was built in, [1, 25]; where None, a 3D model's file takes cameras.

    Raises:
        UserError: when they differ by more than `TOLERANCE`.
    """
    flat = PlainGenerator(generator, psi, given, clamp, camera).eval()
    with Path(path).open("rb") as file:
        program = torch.export.load(file).module()
    return largest_difference(flat, path, lambda inputs: program(*inputs))
