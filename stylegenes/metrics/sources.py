"""Where pictures come from: a packed data set, or a generator's draws that are a function of seed and block alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from stylegenes.data.protocols import LabeledImages, LabelSource
from stylegenes.errors import UserError
from stylegenes.generator import Generator, mix
from stylegenes.records import Condition, Noise
from stylegenes.survey import fingerprint, noise_rng
from stylegenes.words import counted


@dataclass(frozen=True)
class OneLabel:
    """The same label for every fake.

    Attributes:
        row: float32 [1, L].
        name: the label in words.
    """

    row: torch.Tensor
    name: str

    @property
    def label_dim(self) -> int:
        """L."""
        return self.row.shape[1]

    @property
    def content_hash(self) -> str:
        """Of the numbers."""
        return hashlib.sha256(self.row.cpu().numpy().tobytes()).hexdigest()

    @property
    def source(self) -> str:
        """The label in words."""
        return f"label {self.name}"

    def __len__(self) -> int:
        return 1

    def labels(self, indices: torch.Tensor) -> torch.Tensor:
        """The row for each of the indices, [N, L]."""
        return self.row.cpu().expand(len(indices), -1)


class ImageSource(Protocol):
    """Pictures in a fixed order of blocks: block b is the same whoever asks, and whenever."""

    @property
    def batch(self) -> int:
        """Pictures in a block."""
        ...

    def identity(self) -> dict[str, Any]:
        """Everything that the pictures depend on, as plain values."""
        ...

    def __len__(self) -> int: ...

    def block(self, start: int, stop: int) -> torch.Tensor:
        """Pictures [stop - start, C, H, W] in [-1, 1], on the 8-bit grid."""
        ...


def to_float(images: torch.Tensor) -> torch.Tensor:
    """uint8 pictures to float in [-1, 1]."""
    return images.float() / 127.5 - 1


def to_grid(images: torch.Tensor) -> torch.Tensor:
    """Pictures in [-1, 1] rounded to the 256 levels that an image file can hold: fakes are seen as reals are."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


@dataclass(frozen=True)
class DataSource:
    """Some pictures of a data set, chosen once.

    Attributes:
        data: the data set.
        indices: int64 [N], which pictures in which order.
        seed: the seed they were chosen with; None where they are all.
        batch: pictures in a block.
    """

    data: LabeledImages
    indices: torch.Tensor
    seed: int | None = None
    batch: int = 64

    def identity(self) -> dict[str, Any]:
        """The data set's hash and the choice."""
        return {"data": self.data.content_hash, "num": len(self), "seed": self.seed}

    def __len__(self) -> int:
        return len(self.indices)

    def block(self, start: int, stop: int) -> torch.Tensor:
        """Pictures `start` to `stop`, [N, C, H, W] in [-1, 1]."""
        return to_float(self.data.images(self.indices[start:stop]))


def choose(data: LabeledImages, n: int | None, seed: int = 0) -> DataSource:
    """All pictures of a data set in their order, or `n` of them drawn without replacement.

    Raises:
        UserError: when fewer than two pictures would be compared.
    """
    total = len(data)
    size = total if n is None else min(n, total)
    if size < 2:
        raise UserError(f"{data.source} gives {counted(size, 'picture')}; a distribution needs at least two")
    if size == total:
        return DataSource(data, torch.arange(total))
    order = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
    return DataSource(data, order[:size].sort().values, seed)


@dataclass(frozen=True)
class GeneratorSource:
    """`num` fakes in blocks. Codes, labels and mixing of a block depend on seed and the block's start alone.

    So does its random noise on one kind of device; it is drawn where the pictures are, and GPUs draw other numbers.

    Attributes:
        generator: in eval mode; it is not changed.
        num: number of pictures.
        seed: seed of all draws.
        psi: truncation.
        latents: codes mixed in each picture at random crossovers (1: no mixing).
        labels: condition the pictures, drawn with replacement: a data set, `OneLabel`, or None.
        batch: pictures in a block; the draws depend on it.
    """

    generator: Generator
    num: int
    seed: int = 0
    psi: float = 1.0
    latents: int = 1
    labels: LabelSource | None = None
    batch: int = 32

    def identity(self) -> dict[str, Any]:
        """The weights' fingerprint and how codes are drawn."""
        labels = self.labels.content_hash if self.labels is not None and self.generator.label_dim else None
        draws = {"num": self.num, "seed": self.seed, "psi": self.psi, "latents": self.latents, "batch": self.batch}
        return {"model": fingerprint(self.generator), "labels": labels, **draws}

    def __len__(self) -> int:
        return self.num

    @torch.no_grad()
    def block(self, start: int, stop: int) -> torch.Tensor:
        """Fakes `start` to `stop`, [N, C, H, W] in [-1, 1] on the 8-bit grid."""
        rng = torch.Generator().manual_seed(block_seed(self.seed, start))
        condition = draw_condition(self.generator, self.labels, stop - start, rng)
        ws = mixed_ws(self.generator, stop - start, self.latents, self.psi, condition, rng)
        noise = Noise("random", generator=noise_rng(rng, ws.device))
        return to_grid(self.generator.synthesis(ws, condition, noise=noise).image)


def draws_identity(generator: Generator, labels: LabelSource | None, num: int, seed: int, batch: int) -> dict[str, Any]:
    """The weights' fingerprint and what the draws depend on; labels count only where the model reads them.

    Args:
        generator: makes the pictures.
        labels: data whose labels it is told, or None.
        num: draws.
        seed: of the draws.
        batch: draws at once; they depend on it.
    """
    conditions = labels.content_hash if labels is not None and generator.label_dim else None
    draws = {"num": num, "seed": seed, "batch": batch}
    return {"model": fingerprint(generator), "labels": conditions, **draws}


def block_seed(seed: int, start: int) -> int:
    """The seed of a block; the prime keeps the blocks of neighboring seeds apart."""
    return (seed * 1_000_000_007 + start + 1) % 2**63


def draw_condition(generator: Generator, labels: LabelSource | None, n: int, rng: torch.Generator) -> Condition | None:
    """Conditions for `n` fakes: labels of random pictures of the data, and cameras such as the model was trained with.

    None for a model that needs neither.

    Args:
        generator: says what it needs.
        labels: data to draw labels from, or None.
        n: rows of the result.
        rng: on the CPU.

    Raises:
        UserError: when the model needs labels that the data does not have.
    """
    wanted = generator.label_dim
    if wanted == 0:
        camera = generator.synthesis.draw_views(n, rng)
        return None if camera is None else Condition(camera=camera)
    if labels is None or labels.label_dim != wanted:
        have = "no data was given" if labels is None else f"{labels.source} has {labels.label_dim}"
        raise UserError(f"this model needs labels of length {wanted}, drawn from the data; {have}")
    chosen = torch.randint(len(labels), (n,), generator=rng)
    label = labels.labels(chosen).to(generator.device)
    return Condition(label, generator.synthesis.draw_views(n, rng))


def mixed_ws(
    generator: Generator, n: int, latents: int, psi: float, condition: Condition | None, rng: torch.Generator
) -> torch.Tensor:
    """ws [n, num_ws, w_dim] of `latents` codes a picture, taking turns at random crossover layers (StyleGAN, Table 2).

    Args:
        generator: expresses the codes.
        n: pictures.
        latents: codes of each picture, from 1 to num_ws.
        psi: truncation; 1 changes nothing.
        condition: labels and cameras, n rows.
        rng: of codes and layers, on the CPU.

    Raises:
        UserError: when there are more codes than layers.
    """
    num_ws = generator.synthesis.num_ws
    if not 1 <= latents <= num_ws:
        raise UserError(f"cannot mix {latents} codes in a model of {num_ws} layers; use 1 to {num_ws}")
    ws = generator.express(generator.sample(n, rng), condition, psi=psi)
    points = crossovers(n, latents - 1, num_ws, rng).to(ws.device)
    for i in range(latents - 1):
        other = generator.express(generator.sample(n, rng), condition, psi=psi)
        ws = mix(ws, other, points[:, i])
    return ws


def crossovers(n: int, count: int, num_ws: int, rng: torch.Generator) -> torch.Tensor:
    """Different crossover layers for each of `n` pictures, ascending, in 1 .. num_ws - 1: int64 [n, count].

    Args:
        n: pictures.
        count: layers for each, at most num_ws - 1.
        num_ws: style layers.
        rng: on the CPU.
    """
    return (torch.rand(n, num_ws - 1, generator=rng).argsort(dim=1)[:, :count] + 1).sort(dim=1).values


def blocks(total: int, size: int) -> Sequence[tuple[int, int]]:
    """(start, stop) of every block of `size`, the last one shorter."""
    return [(start, min(start + size, total)) for start in range(0, total, size)]
