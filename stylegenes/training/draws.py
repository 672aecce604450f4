"""Random choices of a step: pure functions of a seed and a counter, so that resuming needs no random state.

The codes of a step are drawn for the whole batch, whatever the number of processes and the micro-batch, and dealt out
with a stride: process r of R takes r, r + R, ... and cuts its share the same way. StyleGAN2's minibatch standard
deviation groups samples with a stride too, so every way to cut a batch whose pieces are multiples of the group size
makes the same groups.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import torch

from stylegenes.generator import Generator, mix
from stylegenes.ops.transfer import upload
from stylegenes.records import Condition, TensorMap


def seed_for(*key: int | str) -> int:
    """A seed of 32 bits that depends on every part of `key`."""
    text = "/".join(map(str, key))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def rng_for(*key: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """A random generator that starts from `seed_for(*key)`."""
    return torch.Generator(device=device).manual_seed(seed_for(*key))


@dataclass(frozen=True)
class Codes:
    """What a batch of fakes is made from.

    Attributes:
        code: [N, ...].
        condition: labels of the fakes.
        partner: [N, ...], the codes that take over from `crossover` on; None when nothing is mixed.
        crossover: int64 [N], the first layer that `partner` drives.
    """

    code: torch.Tensor
    condition: Condition
    partner: torch.Tensor | None = None
    crossover: torch.Tensor | None = None

    def __getitem__(self, index: slice) -> Codes:
        return self.map(lambda tensor: tensor[index])

    def map(self, function: TensorMap) -> Codes:
        """The same codes with `function` applied to every tensor that is present."""
        return Codes(
            function(self.code),
            self.condition.map(function),
            None if self.partner is None else function(self.partner),
            None if self.crossover is None else function(self.crossover),
        )

    def mixed(self, num_ws: int) -> Codes:
        """The same codes with a partner in any case, which drives no layer where there was none."""
        if self.partner is not None or num_ws < 2:
            return self
        crossover = torch.full((len(self),), num_ws, device=self.code.device)
        return replace(self, partner=self.code, crossover=crossover)

    def __len__(self) -> int:
        return self.code.shape[0]


def draw_codes(
    generator: Generator,
    n: int,
    *,
    rng: torch.Generator,
    mixing: float,
    labels: torch.Tensor | None = None,
) -> Codes:
    """Draw what `n` fakes are made from.

    Args:
        generator: whose latent draws the codes.
        n: how many.
        rng: source of randomness on the CPU.
        mixing: probability that this batch mixes styles; each sample then has a crossover layer of its own. A second
            code is drawn, and later expressed, only when it does.
        labels: [M, L] labels of the data, to draw the fakes' labels from; None for none.
    """
    code = generator.sample(n, rng)
    condition = Condition()
    if labels is not None:
        drawn = labels[torch.randint(len(labels), (n,), generator=rng)]
        condition = Condition(label=upload(drawn, code.device))
    num_ws = generator.synthesis.num_ws
    if num_ws < 2 or torch.rand((), generator=rng).item() >= mixing:
        return Codes(code, condition)
    crossover = upload(torch.randint(1, num_ws, (n,), generator=rng), code.device)
    return Codes(code, condition, generator.sample(n, rng), crossover)


@dataclass(frozen=True)
class Styles:
    """Codes expressed: w [N, w_dim] of the first codes, and ws [N, num_ws, w_dim] after mixing."""

    w: torch.Tensor
    ws: torch.Tensor


def express(generator: Generator, codes: Codes) -> Styles:
    """Express codes as style vectors, with their graph."""
    w = generator.latent(codes.code, codes.condition)
    ws = generator.broadcast(w)
    if codes.partner is not None and codes.crossover is not None:
        partner = generator.broadcast(generator.latent(codes.partner, codes.condition))
        ws = mix(ws, partner, codes.crossover)
    return Styles(w, ws)


@dataclass(frozen=True)
class Cut:
    """A strided piece of the whole batch: samples `first`, `first + stride`, ..."""

    first: int
    stride: int

    @property
    def slice(self) -> slice:
        """The slice that takes the piece out of the whole batch."""
        return slice(self.first, None, self.stride)

    def split(self, parts: int) -> list[Cut]:
        """The piece in `parts` smaller ones, cut with a stride again."""
        return [Cut(self.first + part * self.stride, self.stride * parts) for part in range(parts)]
