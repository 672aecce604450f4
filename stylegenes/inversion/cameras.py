"""From where a picture was seen: camera and style vector are sought together, from several sides at once.

A picture tells its camera only together with the thing in it, so both are optimized, and since the way from a wrong
side to the right one leads over worse pictures, several sides are tried for a while and the best ones go on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from stylegenes.cameras import Cameras, fov_of, intrinsics_of, orbit
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.projection import check_targets, w_statistics
from stylegenes.records import Condition, Noise


@dataclass(frozen=True)
class CameraSettings:
    """How to search.

    Attributes:
        yaws: degrees around the vertical axis to start from.
        pitches: degrees above the horizon to start from, with every yaw.
        tries: steps from every start.
        keep: so many of the best starts go on.
        steps: steps from these.
        learning_rate: of Adam, in standard deviations of w.
        turn_rate: of Adam, in degrees.
        fov: horizontal angle of view in degrees; None takes the model's.

    Raises:
        UserError: for numbers that make no search.
    """

    yaws: Sequence[float] = (0.0, 60.0, 120.0, 180.0, 240.0, 300.0)
    pitches: Sequence[float] = (10.0,)
    tries: int = 60
    keep: int = 3
    steps: int = 200
    learning_rate: float = 0.05
    turn_rate: float = 1.0
    fov: float | None = None

    def __post_init__(self) -> None:
        if not self.yaws or not self.pitches or min(self.tries, self.keep, self.steps) < 1:
            raise UserError("a search for cameras needs at least one yaw, pitch, try, step, and one start to keep")
        if min(self.learning_rate, self.turn_rate) <= 0:
            raise UserError(f"rates must be positive; got {self.learning_rate} and {self.turn_rate}")
        if self.fov is not None:
            intrinsics_of(self.fov)

    @property
    def starts(self) -> torch.Tensor:
        """Yaw and pitch of every start, [S, 2]."""
        yaws, pitches = (torch.tensor(angles, dtype=torch.float32) for angles in (self.yaws, self.pitches))
        return torch.cartesian_prod(yaws, pitches)


@dataclass(frozen=True)
class Sighting:
    """From where pictures were seen.

    Attributes:
        camera: [N, 25].
        yaw: [N], degrees in [-180, 180).
        pitch: [N], degrees.
        ws: [N, num_ws, w_dim], the style vectors found with them.
        total: [N], what is left of the objective.
        tried: [N, S], what was left from every start after `tries` steps.
    """

    camera: torch.Tensor
    yaw: torch.Tensor
    pitch: torch.Tensor
    ws: torch.Tensor
    total: torch.Tensor
    tried: torch.Tensor


def sight(
    generator: Generator,
    targets: torch.Tensor,
    objective: Objective,
    settings: CameraSettings | None = None,
    condition: Condition | None = None,
) -> Sighting:
    """Find from where pictures [N, C, H, W] in [-1, 1] were seen, one after another.

    Args:
        generator: a 3D model in evaluation mode; it is not changed.
        targets: the pictures, of the model's size.
        objective: what to minimize.
        settings: how to search; cameras keep the model's distance and pivot.
        condition: one row, for a model with labels.

    Raises:
        UserError: for a flat model, or targets of another shape.
    """
    check_targets(generator, targets)
    generator.synthesis.camera_at(0.0, 0.0)
    found = [_sight_one(generator, one, objective, settings or CameraSettings(), condition) for one in targets.split(1)]
    return Sighting(*(torch.cat([getattr(part, name) for part in found]) for name in Sighting.__dataclass_fields__))


def _sight_one(
    generator: Generator,
    target: torch.Tensor,
    objective: Objective,
    settings: CameraSettings,
    condition: Condition | None,
) -> Sighting:
    starts = settings.starts.to(target)
    search = _Search(generator, target, objective, settings, condition, starts)
    tried = search.advance(settings.tries)
    kept = tried.argsort()[: settings.keep]
    angles, offset = search.angles[kept].detach(), search.offset[kept].detach()
    search = _Search(generator, target, objective, settings, condition, angles, offset)
    total = search.advance(settings.steps)
    best = total.argmin()[None]
    with torch.no_grad():
        yaw, pitch = search.angles[best].T
        ws = generator.broadcast(search.w()[best])
        camera = search.cameras()[best]
        return Sighting(camera, (yaw + 180) % 360 - 180, pitch, ws, total[best], tried[None])


class _Search:
    """One picture sought from several sides at once, each with a style vector of its own."""

    def __init__(
        self,
        generator: Generator,
        target: torch.Tensor,
        objective: Objective,
        settings: CameraSettings,
        condition: Condition | None,
        angles: torch.Tensor,
        offset: torch.Tensor | None = None,
    ) -> None:
        self.generator, self.target, self.objective, self.settings = generator, target, objective, settings
        self.label = None if condition is None else condition.label
        seen = generator.synthesis.seen(None if self.label is None else Condition(self.label[:1]), 1)
        assert seen.camera is not None, "a 3D model has a view of its own"
        self.radius = Cameras.of(seen.camera).position.norm().item()
        self.fov = fov_of(seen.camera).item() if settings.fov is None else settings.fov
        self.statistics = w_statistics(generator, seen)
        self.angles = angles.clone().requires_grad_()
        start = torch.zeros(len(angles), generator.synthesis.w_dim, device=target.device) if offset is None else offset
        self.offset = start.clone().requires_grad_()

    def w(self) -> torch.Tensor:
        """Style vectors [S, w_dim]."""
        return self.statistics.mean + self.offset * self.statistics.scale

    def cameras(self) -> torch.Tensor:
        """Cameras [S, 25], with their gradient."""
        return orbit(self.angles[:, 0], self.angles[:, 1].clamp(-89, 89), radius=self.radius, fov=self.fov)

    def error(self) -> torch.Tensor:
        """The objective from every side, [S]."""
        count = len(self.angles)
        label = None if self.label is None else self.label[:1].expand(count, -1)
        ws = self.generator.broadcast(self.w())
        images = self.generator.synthesis(ws, Condition(label, self.cameras()), noise=Noise("const")).image
        return self.objective(images, self.target.expand_as(images)).total

    def advance(self, steps: int) -> torch.Tensor:
        """Make so many steps; returns the objective after them, [S]."""
        settings = self.settings
        groups = [
            {"params": [self.offset], "lr": settings.learning_rate},
            {"params": [self.angles], "lr": settings.turn_rate},
        ]
        adam = torch.optim.Adam(groups, betas=(0.9, 0.99))
        rates = [group["lr"] for group in adam.param_groups]
        for step in range(steps):
            fall = 0.5 + 0.5 * math.cos(math.pi * step / steps)
            for group, rate in zip(adam.param_groups, rates, strict=True):
                group["lr"] = rate * fall
            gradients = torch.autograd.grad(self.error().sum(), [self.offset, self.angles])
            for parameter, gradient in zip((self.offset, self.angles), gradients, strict=True):
                parameter.grad = gradient
            adam.step()
        with torch.no_grad():
            return self.error()
