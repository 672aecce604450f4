"""Generators out as ONNX, with stored noise: a code or its w (label, camera) in, pictures out, of any family."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch

from stylegenes.errors import UserError
from stylegenes.files import atomic_path
from stylegenes.generator import Generator
from stylegenes.interop.exporting import Given, PlainGenerator, facts_of, largest_difference
from stylegenes.snapshot import Card

OPSET = 18


def export_onnx(
    generator: Generator,
    path: str | Path,
    *,
    card: Card | None = None,
    psi: float = 1.0,
    given: Given = "code",
    clamp: bool = True,
    camera: torch.Tensor | None = None,
) -> Path:
    """Write `generator` as ONNX: inputs `code`, `w` or `ws`, `label` (conditional), `camera` (3D); output `image`.

    Sizes are fixed but for the batch. A genotype with a variant that its gene lacks is an error in the runtime. The
    file's metadata tells what the model is and how its code strings are read; see docs/snapshots.md.

    Args:
        generator: on the CPU, in eval mode.
        path: the file to write, all or nothing.
        card: provenance, for the metadata.
        psi: truncation that is built in.
        given: what goes in: codes, w [N, w_dim], or ws [N, num_ws, w_dim] with a w for every layer.
        clamp: keep pictures within [-1, 1]; without it they go as far beyond as the network makes them.
        camera: [1, 25], through which all pictures of a 3D model are seen; None makes it an input.

    Raises:
        UserError: without the package `onnx`, and for a network that cannot be exported.
        OSError: when the file cannot be written.
    """
    try:
        import onnx
    except ImportError as error:
        raise UserError("export needs the package 'onnx': pip install 'stylegenes[onnx]'") from error
    flat = PlainGenerator(generator, psi, given, clamp, camera).eval()
    with atomic_path(path) as part:
        _record(flat, part)
        model = onnx.load(part)
        _name_sizes(model, flat)
        facts = facts_of(flat, card, "onnx")
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}
        onnx.helper.set_model_props(model, texts)
        onnx.checker.check_model(model)
        onnx.save(model, part)
    return Path(path)


def _record(flat: PlainGenerator, path: Path) -> None:
    with torch.no_grad(), warnings.catch_warnings():
        # The tracer warns of every size that becomes a constant; the check against ONNX Runtime is what counts.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            flat,
            flat.example(2),
            str(path),
            input_names=flat.names,
            output_names=["image"],
            dynamic_axes={name: {0: "batch"} for name in [*flat.names, "image"]},
            opset_version=OPSET,
            dynamo=False,
        )


def _name_sizes(model: Any, flat: PlainGenerator) -> None:
    """Give inputs and output their true sizes, where the exporter has numbers of its own or none."""
    synthesis = flat.generator.synthesis
    picture = (synthesis.image_channels, *synthesis.size.hw)
    known = {name: tuple(tensor.shape[1:]) for name, tensor in zip(flat.names, flat.example(1), strict=True)}
    for slot in [*model.graph.input, *model.graph.output]:
        sizes = {**known, "image": picture}[slot.name]
        for axis, size in zip(slot.type.tensor_type.shape.dim, ("batch", *sizes), strict=True):
            axis.Clear()
            if isinstance(size, str):
                axis.dim_param = size
            else:
                axis.dim_value = size


def check_onnx(
    generator: Generator,
    path: str | Path,
    *,
    psi: float = 1.0,
    given: Given = "code",
    clamp: bool = True,
    camera: torch.Tensor | None = None,
) -> float | None:
    """The largest difference between `generator` and the file in ONNX Runtime, relative to the largest pixel value.

    None when ONNX Runtime is not installed. Batches of `BATCHES` are drawn, none of the size that the exporter saw.

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
    try:
        import onnxruntime
    except ImportError:
        return None
    flat = PlainGenerator(generator, psi, given, clamp, camera).eval()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def read(inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        feed = {slot.name: tensor.numpy() for slot, tensor in zip(session.get_inputs(), inputs, strict=True)}
        return torch.from_numpy(session.run(["image"], feed)[0])

    return largest_difference(flat, path, read)
