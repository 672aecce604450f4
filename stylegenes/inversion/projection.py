"""Projection: optimize style vectors until the pictures are the targets (StyleGAN2, appendix D; StyleGenes, A.2).

It starts from the mean of w, which for a genome is the exact mean of its codes, and moves in units of w's own
standard deviation, so that one learning rate serves every latent.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch.func import functional_call

from stylegenes.errors import UserError
from stylegenes.files import parse_json
from stylegenes.generator import Generator
from stylegenes.inversion.objective import MOST_STEPS, Objective, noise_structure, standardize_noise
from stylegenes.progress import OnStep, silent_step
from stylegenes.records import Condition, Noise, repeated
from stylegenes.sealed import load_sealed, save_sealed
from stylegenes.survey import fingerprint
from stylegenes.words import check_known

Space = Literal["w", "w+"]


@dataclass(frozen=True)
class ProjectionSettings:
    """How to search.

    Attributes:
        space: `w` (one vector for all layers) or `w+` (one for each).
        steps: gradient steps.
        learning_rate: of Adam, in standard deviations of w.
        ramp_up: share of the steps over which the learning rate rises from zero.
        ramp_down: share of the steps over which it falls back to zero.
        jitter: deviation of the noise added to w at the start, in standard deviations of w; gone at `jitter_end`.
        jitter_end: share of the steps after which no noise is added.
        optimize_noise: whether the noise inputs are optimized too.
        noise_weight: weight of the structure penalty on them.
        seed: of the noise added to w.
    """

    space: Space = "w"
    steps: int = 400
    learning_rate: float = 0.1
    ramp_up: float = 0.05
    ramp_down: float = 0.25
    jitter: float = 0.3
    jitter_end: float = 0.6
    optimize_noise: bool = False
    noise_weight: float = 1e4
    seed: int = 0

    def __post_init__(self) -> None:
        check_known("space", self.space, get_args(Space))
        if not 1 <= self.steps <= MOST_STEPS or self.learning_rate <= 0:
            raise UserError(
                f"steps are 1 to {MOST_STEPS:,}, and the learning rate is positive; got {self.steps} and "
                f"{self.learning_rate}"
            )

    def rate_at(self, step: int) -> float:
        """Learning rate of a step (from 0): linear rise, then constant, then a cosine fall."""
        t = (step + 1) / self.steps
        fall = min(1.0, (1 - step / self.steps) / max(self.ramp_down, 1e-9))
        return self.learning_rate * min(1.0, t / max(self.ramp_up, 1e-9)) * (0.5 - 0.5 * math.cos(math.pi * fall))

    def jitter_at(self, step: int) -> float:
        """Deviation of the noise added to w at a step."""
        return self.jitter * max(0.0, 1 - step / max(self.jitter_end * self.steps, 1e-9)) ** 2


@dataclass(frozen=True)
class WStatistics:
    """Center and spread of w over the prior.

    Attributes:
        mean: [1, w_dim].
        scale: [1, w_dim], standard deviation in each coordinate, never zero.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def deviation(self, ws: torch.Tensor) -> torch.Tensor:
        """How far ws [N, num_ws, w_dim] lie from the mean: root mean square in standard deviations, [N]."""
        return ((ws - self.mean) / self.scale).square().mean(dim=(1, 2)).sqrt()


@torch.no_grad()
def w_statistics(generator: Generator, condition: Condition | None = None, n: int = 2000) -> WStatistics:
    """The latent's own mean, and the spread of `n` draws (fixed seed); `condition`'s first label counts.

    Where the latent reads cameras it is told the model's own view, as it is wherever codes are drawn.
    """
    codes = generator.sample(n, torch.Generator().manual_seed(0))
    told = generator.synthesis.seen(None if condition is None else repeated(Condition(condition.label), 1), 1)
    scale = generator.latent(codes, repeated(told, n)).std(dim=0, keepdim=True)
    return WStatistics(generator.latent.mean(told)[:1].clone(), scale.clamp(min=1e-3 * float(scale.mean()) + 1e-8))


@dataclass(frozen=True)
class Projection:
    """What a projection found.

    Attributes:
        ws: [N, num_ws, w_dim].
        noise: optimized noise inputs by name, [N, 1, H, W]; empty where they were left alone.
        images: [N, C, H, W], the pictures of ws.
        mse: [N], mean squared error of pixels in [-1, 1].
        perceptual: [N], perceptual distance.
        trace: [steps, N], the objective at every step.
        deviation: [N], root mean square distance of ws from the mean in standard deviations.
    """

    ws: torch.Tensor
    noise: dict[str, torch.Tensor]
    images: torch.Tensor
    mse: torch.Tensor
    perceptual: torch.Tensor
    trace: torch.Tensor
    deviation: torch.Tensor


class Projector:
    """A projection of a batch of targets, one step at a time, that can be saved and taken up again exactly.

    Args:
        generator: the model in evaluation mode; it is never changed.
        targets: [N, C, H, W] in [-1, 1], of the model's size.
        objective: what to minimize.
        settings: how to search.
        condition: what the pictures are conditioned on, [N, ...].

    Raises:
        UserError: for targets of another shape, or noise optimization without noise inputs.
    """

    def __init__(
        self,
        generator: Generator,
        targets: torch.Tensor,
        objective: Objective,
        settings: ProjectionSettings | None = None,
        condition: Condition | None = None,
    ) -> None:
        check_targets(generator, targets)
        self.generator, self.targets, self.objective = generator, targets, objective
        self.settings, self.condition = settings or ProjectionSettings(), condition
        self.statistics = w_statistics(generator, condition)
        layers = 1 if self.settings.space == "w" else generator.synthesis.num_ws
        n, device = len(targets), targets.device
        self.offset = torch.zeros(n, layers, generator.synthesis.w_dim, device=device, requires_grad=True)
        self.noise = self._start_noise() if self.settings.optimize_noise else {}
        self.trace = torch.zeros(self.settings.steps, n)
        self.step = 0
        self._adam = torch.optim.Adam(self._parameters(), betas=(0.9, 0.999), eps=1e-8)

    @property
    def done(self) -> bool:
        """Whether all steps are made."""
        return self.step >= self.settings.steps

    def ws(self) -> torch.Tensor:
        """The style vectors so far, [N, num_ws, w_dim]."""
        w = self.statistics.mean + self.offset * self.statistics.scale
        return w.expand(-1, self.generator.synthesis.num_ws, -1)

    def images(self, ws: torch.Tensor | None = None) -> torch.Tensor:
        """The pictures so far, or those of given ws with the noise so far, [N, C, H, W]."""
        given = (self.ws() if ws is None else ws, self.condition)
        return functional_call(self.generator.synthesis, self.noise, given, {"noise": Noise("const")}).image

    def advance(self) -> torch.Tensor:
        """Make one step; returns the objective before it, [N]."""
        settings, ws = self.settings, self.ws()
        jitter = settings.jitter_at(self.step)
        if jitter > 0:
            ws = ws + jitter * self.statistics.scale * self._random().expand_as(ws)
        total = self.objective(self.images(ws), self.targets).total
        loss = total.sum()
        for noise in self.noise.values():
            loss = loss + settings.noise_weight * noise_structure(noise).sum()
        self._descend(torch.autograd.grad(loss, self._parameters()), settings.rate_at(self.step))
        for noise in self.noise.values():
            standardize_noise(noise)
        self.trace[self.step] = total.detach().cpu()
        self.step += 1
        return total.detach()

    @torch.no_grad()
    def result(self) -> Projection:
        """What was found so far."""
        ws, images = self.ws().detach().clone(), self.images()
        errors = self.objective(images, self.targets)
        noise = {name: value.detach().clone() for name, value in self.noise.items()}
        trace = self.trace[: self.step].clone()
        return Projection(ws, noise, images, errors.mse, errors.perceptual, trace, self.statistics.deviation(ws))

    def save(self, path: Path) -> None:
        """Write the whole state atomically."""
        save_sealed(path, self._state(), {"stylegenes": json.dumps(self._identity())})

    def resume(self, path: Path) -> bool:
        """Take up a saved state; False when there is none.

        Raises:
            UserError: when the state belongs to other targets, another model, other settings, another objective, label
                or camera, or is damaged.
        """
        if not path.is_file():
            return False
        found = load_sealed(path, is_old=lambda about: set(about) == {"stylegenes"})
        identity = parse_json(found.about["stylegenes"], str(path))
        own = self._identity()
        if "objective" not in identity:  # Older versions say neither what was minimized nor the label.
            identity |= {key: own[key] for key in ("objective", "label") if key in own}
        differing = [key for key in {**own, **identity} if key != "step" and identity.get(key) != own.get(key)]
        if differing:
            raise UserError(
                f"{path} holds another projection (other {', '.join(differing)}); write elsewhere, or remove it"
            )
        with torch.no_grad():
            for name, tensor in self._state().items():
                tensor.copy_(found.tensors[name])
        self.step = identity["step"]
        for parameter in self._parameters():
            self._averages(parameter)["step"].fill_(self.step)
        return True

    def _start_noise(self) -> dict[str, torch.Tensor]:
        buffers = self.generator.synthesis.noise_buffers()
        if not buffers:
            raise UserError("this network has no noise inputs to optimize; project without them")
        shape = (len(self.targets), 1)
        return {
            name: b.detach().clone().expand(*shape, *b.shape).clone().requires_grad_() for name, b in buffers.items()
        }

    def _parameters(self) -> list[torch.Tensor]:
        return [self.offset, *self.noise.values()]

    def _random(self) -> torch.Tensor:
        """Noise that is a function of seed and step alone, so that a resumed run draws the same."""
        random = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.step)
        return torch.randn(self.offset.shape, generator=random).to(self.offset.device)

    def _descend(self, gradients: tuple[torch.Tensor, ...], rate: float) -> None:
        """One step of Adam; the networks' own gradients are never touched."""
        for parameter, gradient in zip(self._parameters(), gradients, strict=True):
            parameter.grad = gradient
        self._adam.param_groups[0]["lr"] = rate
        self._adam.step()

    def _averages(self, parameter: torch.Tensor) -> dict[str, torch.Tensor]:
        """Adam's two averages of one parameter; Adam itself makes them only at its first step."""
        state = self._adam.state[parameter]
        if not state:
            zeros = torch.zeros_like(parameter)
            state |= {"step": torch.zeros(()), "exp_avg": zeros, "exp_avg_sq": zeros.clone()}
        return state

    def _state(self) -> dict[str, torch.Tensor]:
        """The tensors of a saved state, themselves and not copies."""
        averages = [self._averages(parameter) for parameter in self._parameters()]
        pairs = [state[name] for state in averages for name in ("exp_avg", "exp_avg_sq")]
        moments = {f"moment_{index}": moment for index, moment in enumerate(pairs)}
        noise = {f"noise.{name}": value.detach() for name, value in self.noise.items()}
        return {"offset": self.offset.detach(), "trace": self.trace, **noise, **moments}

    def _identity(self) -> dict[str, object]:
        digest = hashlib.sha256(self.targets.detach().cpu().contiguous().numpy().tobytes()).hexdigest()
        model = fingerprint(self.generator)
        told = self.condition or Condition()
        conditions = {"label": told.label, "camera": told.camera}
        return {
            "targets": digest,
            "model": model,
            "settings": asdict(self.settings),
            "objective": self.objective.identity,
            "step": self.step,
            **{name: rows.tolist() for name, rows in conditions.items() if rows is not None},
        }


def check_targets(generator: Generator, targets: torch.Tensor) -> None:
    """Refuse targets that the model cannot make.

    Raises:
        UserError: when targets are not [N, C, H, W] of the model's size.
    """
    synthesis = generator.synthesis
    wanted = (synthesis.image_channels, *synthesis.size.hw)
    if targets.ndim != 4 or tuple(targets.shape[1:]) != wanted or not len(targets):
        raise UserError(f"targets must be [N, {', '.join(map(str, wanted))}] for this model; got {list(targets.shape)}")


def project(projector: Projector, on_step: OnStep = silent_step) -> Projection:
    """Make all remaining steps; `on_step` is told the steps done and all of them."""
    while not projector.done:
        projector.advance()
        on_step(projector.step, projector.settings.steps)
    return projector.result()
