"""What every export has in common: a generator as a plain function of tensors, its facts, and the comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.generator import Generator, check_psi
from stylegenes.records import Condition, Noise
from stylegenes.snapshot import Card

Given = Literal["code", "w", "ws"]
TOLERANCE = 1e-4
"""Largest difference of a pixel in [-1, 1] that an export may show, relative to the picture's largest value."""
BATCHES = (1, 3, 16)
"""Batch sizes that an export is compared at; none is the exporter's own."""


class PlainGenerator(nn.Module):
    """A generator as a plain function of tensors, with stored noise; in eval mode.

    Attributes:
        names: of its inputs, in their order.
    """

    def __init__(
        self,
        generator: Generator,  # on the CPU, in eval mode
        psi: float = 1.0,  # truncation that is built in
        given: Given = "code",  # what goes in: codes, w [N, w_dim], or ws [N, num_ws, w_dim] with a w for every layer
        clamp: bool = True,  # keep pictures within [-1, 1]
        camera: torch.Tensor | None = None,  # [1, 25], through which all pictures are seen; else it is an input
    ) -> None:
        super().__init__()
        _refuse(generator, psi, given, camera)
        self.generator, self.psi, self.given, self.clamp = generator, psi, given, clamp
        self.camera = None if camera is None else camera[:1].to(generator.device)
        asked = generator.synthesis.has_camera and camera is None
        self.names = [given, *(["label"] if self.label_dim else []), *(["camera"] if asked else [])]
        self.eval()

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


def facts_of(flat: PlainGenerator, card: Card | None, kind: str) -> dict[str, Any]:
    """What a file of `flat` says about itself; `kind` names the format."""
    generator, latent = flat.generator, flat.generator.latent
    axes = {**flat.axes, "image": ["batch", "channels", "height", "width"]}
    seen = flat.camera[0].tolist() if flat.camera is not None else "given" if "camera" in flat.names else "none"
    return {
        "format": f"stylegenes-{kind} 1",
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


def _refuse(generator: Generator, psi: float, given: Given, camera: torch.Tensor | None) -> None:
    name = generator.synthesis.spec["name"]
    if given not in get_args(Given):
        raise UserError(f"an export takes one of {', '.join(get_args(Given))}; got {given!r}")
    check_psi(psi)
    if camera is not None and not generator.synthesis.has_camera:
        raise UserError(f"{name} makes flat pictures, which no camera sees")
    if not generator.synthesis.steady:
        raise UserError(
            f"this {name} draws anew where it samples its rays, for each picture, so no file can repeat it; "
            "model.synthesis.official=false samples evenly"
        )


def inputs_of(generator: Generator, given: Given, camera: torch.Tensor | None = None) -> dict[str, list[str]]:
    """The inputs of an export by name, and what their axes are."""
    return PlainGenerator(generator, given=given, camera=camera).axes


def largest_difference(
    flat: PlainGenerator, path: object, read: Callable[[tuple[torch.Tensor, ...]], torch.Tensor]
) -> float:
    """The largest difference between `flat` and a file, relative to the largest pixel value, over `BATCHES`.

    Args:
        flat: what was exported.
        path: of the file, for the message.
        read: inputs, as `flat.example` makes them, to the file's pictures [N, C, H, W].

    Raises:
        UserError: when they differ by more than `TOLERANCE`.
    """
    largest = 0.0
    for n in BATCHES:
        inputs = flat.example(n)
        with torch.no_grad():
            expected, image = flat(*inputs), read(inputs)
        difference = ((image - expected).abs().max() / expected.abs().max()).item()
        if not difference <= TOLERANCE:
            raise UserError(
                f"{path} does not reproduce the model: pictures differ by {difference:.3g} (allowed {TOLERANCE})"
            )
        largest = max(largest, difference)
    return largest
