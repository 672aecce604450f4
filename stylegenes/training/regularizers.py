"""Regularizers: penalties on the gradients of a player, evaluated every few steps ("lazily")."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import torch
from torch import nn

from stylegenes.devices import exactly
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.records import ImageBatch
from stylegenes.registry import Registry
from stylegenes.shape import Count, Factor, Share

Player = Literal["G", "D"]


class Fakes(NamedTuple):
    """Generated pictures and what they came from.

    Attributes:
        w: [N, w_dim], before broadcasting and mixing.
        ws: [N, num_ws, w_dim], as the synthesis network took them.
        batch: the pictures.
    """

    w: torch.Tensor
    ws: torch.Tensor
    batch: ImageBatch


class Critic(Protocol):
    """The discriminator behind its augmentation: pictures to logits [N, K]."""

    def __call__(self, batch: ImageBatch) -> torch.Tensor:
        """Critic."""
        ...


class DrawFakes(Protocol):
    """Draws fakes with their graph: the first 1 / `shrink` of the micro-batch."""

    def __call__(self, shrink: int = 1) -> Fakes:
        """Draw."""
        ...


@dataclass(frozen=True)
class PenaltyInputs:
    """What a regularizer sees of one micro-batch.

    Attributes:
        G: the generator.
        critic: the discriminator behind its augmentation.
        real: real pictures.
        draw_fakes: draws fakes with their graph.
        rng: source of randomness on the pictures' device.
        styles: the ws [N, num_ws, w_dim] of those fakes with their graph, without making pictures; None where it has
            none.
    """

    G: Generator
    critic: Critic
    real: ImageBatch
    draw_fakes: DrawFakes
    rng: torch.Generator | None = None
    styles: Callable[[], torch.Tensor] | None = None


class Regularizer(nn.Module, ABC):
    """A penalty for one player. Its running statistics are buffers, so that they are saved with the run.

    Attributes:
        player: whose parameters it trains.
        interval: evaluated every `interval` steps and weighted by `interval`; 1 joins the main step.
        batch_shrink: it looks at 1 / `batch_shrink` of the micro-batch.
    """

    player: Player
    interval: int
    batch_shrink: int = 1

    @abstractmethod
    def penalty(self, inputs: PenaltyInputs) -> torch.Tensor:
        """The weighted penalty, [n]; its mean joins the loss."""

    def observed(self) -> torch.Tensor:
        """Statistics [k] of the last micro-batch, to be averaged over micro-batches and ranks."""
        return torch.zeros(0)

    def settle(self, mean: torch.Tensor) -> None:
        """Take in the average [k] of `observed` over the whole batch, once a step."""
        return


REGULARIZERS: Registry[Regularizer] = Registry("regularizer")


def gradient_square(logits: torch.Tensor, *images: torch.Tensor) -> torch.Tensor:
    """Squared norm of the gradient of logits [N, K] with respect to all of images [N, C, H, W]: [N], with its graph.

    A discriminator may leave the second picture of a pair unread.
    """
    gradients = torch.autograd.grad(logits.sum(), images, create_graph=True, allow_unused=True)
    return torch.stack([_widened(g).square().sum(dim=(1, 2, 3)) for g in gradients if g is not None]).sum(dim=0)


def _widened(x: torch.Tensor) -> torch.Tensor:
    """Half precisions as float32: squares of many small numbers are summed."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def path_lengths(images: torch.Tensor, ws: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Path lengths (Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", Eq. 4).

    Args:
        images: [N, C, H, W], made from `ws`.
        ws: [N, num_ws, w_dim].
        noise: standard normal, [N, C, H, W].

    Returns:
        The norm of J^T y for y = noise / sqrt(H W): root of the mean over layers of the squared norms, [N], with its
        graph.
    """
    return _widened(path_gradients(images, ws, noise)).square().sum(dim=2).mean(dim=1).sqrt()


def path_gradients(images: torch.Tensor, ws: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """J^T y, [N, num_ws, w_dim], for the arguments of `path_lengths`."""
    area = images.shape[2] * images.shape[3]
    slope = (_widened(images) * noise).sum() / area**0.5
    (gradient,) = torch.autograd.grad(slope, ws, create_graph=True)
    return gradient


class _GradientPenalty(Regularizer):
    """Checks and shapes shared by the penalties on the discriminator's gradients."""

    player = "D"

    def __init__(self, gamma: float, interval: int) -> None:
        super().__init__()
        if gamma < 0 or interval < 1:
            raise UserError(f"a gradient penalty needs gamma >= 0 and interval >= 1; got {gamma=}, {interval=}")
        self.gamma = gamma
        self.interval = interval

    def on(self, batch: ImageBatch, critic: Critic) -> torch.Tensor:
        """gamma / 2 times the squared gradient at the pictures of `batch`, [N]; at both where they are pairs."""
        pictures = [picture.detach().requires_grad_() for picture in batch.pictures]
        return gradient_square(critic(batch.with_pictures(pictures)), *pictures) * (self.gamma / 2)


@REGULARIZERS.register("r1")
class R1(_GradientPenalty):
    """gamma / 2 |grad D|^2 at real pictures (Mescheder et al. 2018, Eq. 9)."""

    def __init__(
        self,
        gamma: Factor = 10.0,  # weight; grows with the square of the resolution and shrinks with the batch
        *,
        interval: Count = 16,  # evaluated every so many steps
    ) -> None:
        super().__init__(gamma, interval)

    def penalty(self, inputs: PenaltyInputs) -> torch.Tensor:
        """The penalty at the reals, before augmentation, [N]."""
        return self.on(inputs.real, inputs.critic)


@REGULARIZERS.register("r2")
class R2(_GradientPenalty):
    """gamma / 2 |grad D|^2 at generated pictures (Mescheder et al. 2018, Eq. 10)."""

    def __init__(
        self,
        gamma: Factor = 10.0,  # weight
        *,
        interval: Count = 16,  # evaluated every so many steps
    ) -> None:
        super().__init__(gamma, interval)

    def penalty(self, inputs: PenaltyInputs) -> torch.Tensor:
        """The penalty at the fakes, [N]."""
        with torch.no_grad():
            fakes = inputs.draw_fakes().batch
        return self.on(fakes, inputs.critic)


class _NoisyPenalty(Regularizer):
    """gamma / 2 (D(x + sigma e) - D(x))^2 / sigma^2 for standard normal e: R1 and R2 without a second derivative.

    Over e, and as sigma goes to 0, the mean of the square is the squared norm of D's gradient at x, so that gamma
    means what it means there ("Diffusion Adversarial Post-Training", Lin et al. 2025, section 3.3, has no division).
    """

    player = "D"

    def __init__(
        self,
        gamma: Factor = 10.0,  # weight, as in R1 and R2
        *,
        interval: Count = 16,  # evaluated every so many steps
        sigma: float = 0.01,  # standard deviation of the noise; pictures are in [-1, 1]
    ) -> None:
        super().__init__()
        if gamma < 0 or interval < 1 or sigma <= 0:
            given = f"{gamma=}, {interval=}, {sigma=}"
            raise UserError(f"a penalty by noise needs gamma >= 0, interval >= 1, sigma > 0; got {given}")
        self.gamma, self.interval, self.sigma = gamma, interval, sigma

    def on(self, batch: ImageBatch, inputs: PenaltyInputs) -> torch.Tensor:
        """The penalty at the pictures of `batch`, [N]; both sides are augmented alike."""
        pictures = [picture.detach() for picture in batch.pictures]
        noisy = [picture + self.sigma * _noise_like(picture, inputs.rng) for picture in pictures]
        before = None if inputs.rng is None else inputs.rng.get_state()
        # In half precision or TF32 the logits would be off by more than a small step moves them.
        with exactly():
            clean = inputs.critic(batch.with_pictures(pictures))
            if inputs.rng is not None and before is not None:
                inputs.rng.set_state(before)
            moved = inputs.critic(batch.with_pictures(noisy))
        slope = (moved - clean).sum(dim=1) / self.sigma
        return slope.square() * (self.gamma / 2)


def _noise_like(images: torch.Tensor, rng: torch.Generator | None) -> torch.Tensor:
    return torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)


@REGULARIZERS.register("noisy_r1")
class NoisyR1(_NoisyPenalty):
    """R1 at real pictures by noise in place of a gradient: first derivatives only, so that it compiles."""

    def penalty(self, inputs: PenaltyInputs) -> torch.Tensor:
        """The penalty at the reals, before augmentation, [N]."""
        return self.on(inputs.real, inputs)


@REGULARIZERS.register("noisy_r2")
class NoisyR2(_NoisyPenalty):
    """R2 at generated pictures by noise in place of a gradient."""

    def penalty(self, inputs: PenaltyInputs) -> torch.Tensor:
        """The penalty at the fakes, [N]."""
        with torch.no_grad():
            fakes = inputs.draw_fakes().batch
        return self.on(fakes, inputs)


@REGULARIZERS.register("wgan_gp")
class GradientPenalty(Regularizer):
    """lambda (|grad D| - 1)^2 between reals and fakes (Gulrajani et al. 2017, Eq. 3)."""

    player = "D"

    def __init__(
        self,
        weight: Factor = 10.0,  # lambda
        *,
        interval: Count = 1,  # evaluated every so many steps
    ) -> None:
        super().__init__()
        self.weight = weight
        self.interval = interval

    def penalty(self, inputs: PenaltyInputs) -> torch.Tensor:
        """The penalty at a random point between each pair, [N]."""
        real = inputs.real.image.detach()
        with torch.no_grad():
            fakes = inputs.draw_fakes().batch
        t = torch.rand(len(fakes), 1, 1, 1, generator=inputs.rng, device=real.device, dtype=real.dtype)
        pairs = zip(fakes.pictures, inputs.real.pictures)
        between = [fake.to(real.dtype).lerp(r.detach(), t).requires_grad_() for fake, r in pairs]
        slope = (gradient_square(inputs.critic(fakes.with_pictures(between)), *between) + 1e-12).sqrt()
        return self.weight * (slope - 1).square()


@REGULARIZERS.register("path_length")
class PathLength(Regularizer):
    """Squared deviation of the path length from its running mean (Karras et al. 2020, Eq. 4).

    The target already holds the mean of the micro-batch and keeps its graph, so that the mean itself is part of what
    is trained; the stored mean moves once a step, by the mean over micro-batches and ranks.
    """

    player = "G"

    def __init__(
        self,
        weight: Factor = 2.0,  # weight of the penalty
        *,
        interval: Count = 4,  # evaluated every so many steps
        decay: Share = 0.01,  # share of the new mean in the running mean
        batch_shrink: Count = 2,  # evaluated on 1 / batch_shrink of the batch
    ) -> None:
        super().__init__()
        if batch_shrink < 1 or interval < 1:
            raise UserError(f"path length needs batch_shrink >= 1 and interval >= 1; got {batch_shrink=}, {interval=}")
        self.weight = weight
        self.interval = interval
        self.decay = decay
        self.batch_shrink = batch_shrink
        self.mean_length: torch.Tensor
        self.register_buffer("mean_length", torch.zeros(()))
        self._last = torch.zeros(1)

    def penalty(self, inputs: PenaltyInputs) -> torch.Tensor:
        """The weighted penalty on the first 1 / batch_shrink of the micro-batch, [n]."""
        fakes = inputs.draw_fakes(self.batch_shrink)
        images = fakes.batch.image
        return self.from_noise(images, fakes.ws, _noise_like(images, inputs.rng))

    def from_noise(self, images: torch.Tensor, ws: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """The weighted penalty [n] for given standard normal `noise`, shaped as `images` [n, C, H, W]."""
        lengths = path_lengths(images, ws, noise)
        self._last = lengths.detach().mean()[None]
        target = self.mean_length.lerp(lengths.mean().to(self.mean_length.dtype), self.decay)
        return self.weight * (lengths - target).square()

    def observed(self) -> torch.Tensor:
        """The mean length of the last micro-batch, [1]."""
        return self._last

    def settle(self, mean: torch.Tensor) -> None:
        """Move the running mean."""
        self.mean_length.lerp_(mean[0].to(self.mean_length.dtype), self.decay)


@REGULARIZERS.register("density")
class DensityVariation(Regularizer):
    """Mean difference of the density between points and points near them (EG3D, Chan et al. 2022, supplement 1.3).

    Against specks and seams in the volume. Points are drawn in the box that the planes cover; the published code draws
    them in [-1, 1]^3 whatever the box is, seven eighths of them outside a box of side one.
    """

    player = "G"

    def __init__(
        self,
        weight: Factor = 0.25,  # weight of the penalty
        *,
        interval: Count = 4,  # evaluated every so many steps
        points: int = 1000,  # points of a sample
        distance: float = 0.004,  # standard deviation of the way to the neighbor, in world units
        official: bool = False,  # draw points where the published code does
    ) -> None:
        super().__init__()
        if min(interval, points) < 1 or weight < 0 or distance <= 0:
            given = f"{weight=}, {interval=}, {points=}, {distance=}"
            raise UserError(
                f"the density penalty needs weight >= 0, interval, points >= 1 and distance > 0; got {given}"
            )
        self.weight, self.interval, self.points, self.distance, self.official = (
            weight, interval, points, distance, official,
        )  # fmt: skip

    def penalty(self, inputs: PenaltyInputs) -> torch.Tensor:
        """The weighted mean difference, [N]."""
        assert inputs.styles is not None, "training offers styles"
        ws, synthesis = inputs.styles(), inputs.G.synthesis
        shape = (len(ws), self.points, 3)
        where = torch.rand(shape, generator=inputs.rng, device=ws.device) - 0.5
        points = where * (2.0 if self.official else synthesis.box)
        near = points + self.distance * _noise_like(points, inputs.rng)
        density = synthesis.body(ws).at(torch.cat([points, near], dim=1)).density
        return self.weight * (density[:, : self.points] - density[:, self.points :]).abs().mean(dim=1)
