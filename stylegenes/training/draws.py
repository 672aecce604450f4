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
        condition: labels and cameras of the fakes.
        partner: [N, ...], the codes that take over from `crossover` on; None when nothing is mixed.
        crossover: int64 [N], the first layer that `partner` drives.
        told: what the latent is told, where that is another than the condition: its cameras may be other fakes'.
    """

    code: torch.Tensor
    condition: Condition
    partner: torch.Tensor | None = None
    crossover: torch.Tensor | None = None
    told: Condition | None = None

    def __getitem__(self, index: slice) -> Codes:
        return self.map(lambda tensor: tensor[index])

    def map(self, function: TensorMap) -> Codes:
        """The same codes with `function` applied to every tensor that is present."""
        return Codes(
            function(self.code),
            self.condition.map(function),
            None if self.partner is None else function(self.partner),
            None if self.crossover is None else function(self.crossover),
            None if self.told is None else self.told.map(function),
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
    pool: Condition | None = None,
    pose_swap: float = 0.0,
) -> Codes:
    """Draw what `n` fakes are made from.

    Args:
        generator: whose latent draws the codes.
        n: how many.
        rng: source of randomness on the CPU.
        mixing: probability that this batch mixes styles; each sample then has a crossover layer of its own, among
            those that show in the picture. A second code is drawn, and later expressed, only when it does.
        pool: labels [M, L] and cameras [M, 25] of the data, to draw the fakes' from; None for none.
        pose_swap: probability that the latent is told another fake's camera (EG3D, section 4.4), for each fake anew.
    """
    code = generator.sample(n, rng)
    condition = pool or Condition()
    size = next((len(tensor) for tensor in (condition.label, condition.camera) if tensor is not None), 0)
    if size:
        chosen = condition[torch.randint(size, (n,), generator=rng)]
        condition = chosen.map(lambda tensor: upload(tensor, code.device))
    told = _swapped(condition, pose_swap, rng) if generator.latent.reads_camera else None
    num_ws = generator.synthesis.active_ws
    if num_ws < 2 or torch.rand((), generator=rng).item() >= mixing:
        return Codes(code, condition, told=told)
    crossover = upload(torch.randint(1, num_ws, (n,), generator=rng), code.device)
    return Codes(code, condition, generator.sample(n, rng), crossover, told)


def _swapped(condition: Condition, probability: float, rng: torch.Generator) -> Condition:
    """The condition with the camera of the sample before in the place of some."""
    camera = condition.camera
    if camera is None:
        return condition
    swapped = upload(torch.rand(len(camera), 1, generator=rng) < probability, camera.device)
    return Condition(condition.label, torch.where(swapped, camera.roll(1, 0), camera))


@dataclass(frozen=True)
class Styles:
    """Codes expressed: w [N, w_dim] of the first codes, and ws [N, num_ws, w_dim] after mixing."""

    w: torch.Tensor
    ws: torch.Tensor


def express(generator: Generator, codes: Codes) -> Styles:
    """Express codes as style vectors, with their graph."""
    told = codes.told or codes.condition
    w = generator.latent(codes.code, told)
    ws = generator.broadcast(w)
    if codes.partner is not None and codes.crossover is not None:
        partner = generator.broadcast(generator.latent(codes.partner, told))
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
