"""Generators out as ONNX, with stored noise: a code or its w (label, camera) in, pictures out, of any family."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch

from stylegenes.errors import UserError
from stylegenes.files import atomic_path
from stylegenes.interop.exporting import PlainGenerator, facts_of, largest_difference
from stylegenes.snapshot import Card

OPSET = 18


def export_onnx(flat: PlainGenerator, path: str | Path, *, card: Card | None = None) -> Path:
    """Write a generator as ONNX: inputs `code`, `w` or `ws`, `label` (conditional), `camera` (3D); output `image`.

    Sizes are fixed but for the batch. A genotype with a variant that its gene lacks is an error in the runtime. The
    file's metadata tells what the model is and how its code strings are read; see docs/snapshots.md.

    Args:
        flat: a generator on the CPU, and how it is written.
        path: the file to write, all or nothing.
        card: provenance, for the metadata.

    Raises:
        UserError: without the package `onnx`.
        OSError: when the file cannot be written.
    """
    try:
        import onnx
    except ImportError as error:
        raise UserError("export needs the package 'onnx': pip install 'stylegenes[onnx]'") from error
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


def check_onnx(flat: PlainGenerator, path: str | Path) -> float | None:
    """The largest difference between a generator and its file in ONNX Runtime, relative to the largest pixel value.

    None when ONNX Runtime is not installed. Batches of `BATCHES` are drawn, none of the size that the exporter saw.

    Args:
        flat: what was exported.
        path: of the file.

    Raises:
        UserError: when they differ by more than `TOLERANCE`.
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def read(inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        feed = {slot.name: tensor.numpy() for slot, tensor in zip(session.get_inputs(), inputs, strict=True)}
        return torch.from_numpy(session.run(["image"], feed)[0])

    return largest_difference(flat, path, read)
