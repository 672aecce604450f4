"""Generators out as ONNX, with stored noise: a code or its w (label, camera) in, pictures out, of any family."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.files import atomic_path
from stylegenes.generator import Generator
from stylegenes.records import Condition, Noise
from stylegenes.snapshot import Card

Given = Literal["code", "w", "ws"]
OPSET = 18
TOLERANCE = 1e-4
"""Largest difference of a pixel in [-1, 1] that an export may show, relative to the picture's largest value."""
BATCHES = (1, 3, 16)
"""Batch sizes that an export is compared at; none is the exporter's own."""


class _Flat(nn.Module):
    """A generator as a plain function of tensors."""

    def __init__(
        self, generator: Generator, psi: float, given: Given, clamp: bool, camera: torch.Tensor | None = None
    ) -> None:
        super().__init__()
        self.generator, self.psi, self.given, self.clamp = generator, psi, given, clamp
        self.camera = None if camera is None else camera[:1].to(generator.device)
        asked = generator.synthesis.has_camera and camera is None
        self.names = [given, *(["label"] if self.label_dim else []), *(["camera"] if asked else [])]

    def forward(self, first: torch.Tensor, *more: torch.Tensor) -> torch.Tensor:
        """Codes, w or ws [N, ...], then labels [N, L] and cameras [N, 25] as `names` says, to pictures [N, C, H, W]."""
        G, rest = self.generator, dict(zip(self.names[1:], more, strict=True))
        camera = self.camera.expand(first.shape[0], -1) if self.camera is not None else rest.get("camera")
        shown = Condition(rest.get("label"), camera)
        # The latent is told the model's own view whatever side is drawn, as everywhere, so that all are of one thing.
        told = G.synthesis.seen(Condition(shown.label), first.shape[0])
        w = G.latent(self._checked(first), told) if self.given == "code" else first
        ws = G.truncate(w if self.given == "ws" else G.broadcast(w), self.psi, condition=told)
        image = G.synthesis(ws, shown, noise=Noise("const")).image
        return image.clamp(-1, 1) if self.clamp else image

    def _checked(self, code: torch.Tensor) -> torch.Tensor:
        """The code, in which a variant that no gene has becomes an index beyond every table: runtimes refuse that."""
        genes, variants = self.generator.latent.num_genes, self.generator.latent.num_variants
        return torch.where((code >= 0) & (code < variants), code, genes * variants) if genes else code

    @property
    def label_dim(self) -> int:
        """Length of the label that it reads."""
        return self.generator.label_dim if self.given == "code" else self.generator.synthesis.label_dim

    @property
    def axes(self) -> dict[str, list[str]]:
        """What the axes of its inputs are."""
        latent = self.generator.latent
        code = "genes" if latent.num_genes else "z_dim"
        sizes = {"code": [code], "w": ["w_dim"], "ws": ["layers", "w_dim"], "label": ["labels"], "camera": ["numbers"]}
        return {name: ["batch", *sizes[name]] for name in self.names}

    def example(self, n: int) -> tuple[torch.Tensor, ...]:
        """`n` of its inputs."""
        draws, synthesis = torch.Generator().manual_seed(n), self.generator.synthesis
        vectors = {"w": (synthesis.w_dim,), "ws": (synthesis.num_ws, synthesis.w_dim)}.get(self.given)
        first = torch.randn(n, *vectors, generator=draws) if vectors else self.generator.sample(n, draws)
        inputs: dict[str, torch.Tensor | None] = {self.given: first}
        if self.label_dim:
            inputs["label"] = torch.eye(self.label_dim)[torch.arange(n) % self.label_dim]
        if "camera" in self.names:
            inputs["camera"] = synthesis.draw_views(n, draws)
        return tuple(tensor for name in self.names if (tensor := inputs[name]) is not None)


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
    if given not in get_args(Given):
        raise UserError(f"an export takes one of {', '.join(get_args(Given))}; got {given!r}")
    if camera is not None and not generator.synthesis.has_camera:
        raise UserError("this network makes flat pictures, which no camera sees")
    if not generator.synthesis.steady:
        raise UserError(
            "this network draws anew where it samples its rays, for each picture, so no file can repeat it; "
            "model.synthesis.official=false samples evenly"
        )
    flat = _Flat(generator, psi, given, clamp, camera).eval()
    with atomic_path(path) as part:
        _record(flat, part)
        model = onnx.load(part)
        _name_sizes(model, flat)
        onnx.helper.set_model_props(model, _metadata(flat, card))
        onnx.checker.check_model(model)
        onnx.save(model, part)
    return Path(path)


def _record(flat: _Flat, path: Path) -> None:
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


def _name_sizes(model: Any, flat: _Flat) -> None:
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


def _metadata(flat: _Flat, card: Card | None) -> dict[str, str]:
    """What the file says about itself: words and numbers, and JSON where it is more than one."""
    generator, latent = flat.generator, flat.generator.latent
    axes = {**flat.axes, "image": ["batch", "channels", "height", "width"]}
    seen = flat.camera[0].tolist() if flat.camera is not None else "given" if "camera" in flat.names else "none"
    facts = {
        "format": "stylegenes-onnx 1",
        "name": card.name if card else "",
        "license": card.license if card else "unspecified",
        "recipe": card.recipe if card else "",
        "labels": card.data.label_names if card and card.data and flat.label_dim else [],
        "latent": latent.spec["name"],
        "synthesis": generator.synthesis.spec["name"],
        "genes": latent.num_genes,
        "variants": latent.num_variants,
        "w_dim": latent.w_dim,
        "resolution": generator.synthesis.resolution,
        "channels": generator.synthesis.image_channels,
        "psi": flat.psi,
        "noise": "stored",
        "range": [-1, 1] if flat.clamp else "unbounded; -1 is black and 1 is white",
        "axes": axes,
        "camera": seen,
        "code_string": latent.string_format(),
    }
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}


def inputs_of(generator: Generator, given: Given, camera: torch.Tensor | None = None) -> dict[str, list[str]]:
    """The inputs of an export by name, and what their axes are; see `export_onnx`."""
    return _Flat(generator, 1.0, given, True, camera).axes


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
    flat, largest = _Flat(generator, psi, given, clamp, camera).eval(), 0.0
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for n in BATCHES:
        inputs = flat.example(n)
        with torch.no_grad():
            expected = flat(*inputs)
        feed = {slot.name: tensor.numpy() for slot, tensor in zip(session.get_inputs(), inputs, strict=True)}
        image = torch.from_numpy(session.run(["image"], feed)[0])
        difference = ((image - expected).abs().max() / expected.abs().max()).item()
        if not difference <= TOLERANCE:
            raise UserError(
                f"{path} does not reproduce the model: pictures differ by {difference:.3g} (allowed {TOLERANCE})"
            )
        largest = max(largest, difference)
    return largest
