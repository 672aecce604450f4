"""The random numbers of adaptive augmentation, as a record: drawn by one function, applied by pure ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch

from stylegenes.errors import UserError
from stylegenes.words import did_you_mean


@dataclass(frozen=True)
class Transform:
    """One transform of the pipe and the shape of its raw draw.

    Attributes:
        strength: the key of the pipe's strengths that scales its probability.
        kind: distribution of the raw draw, uniform in [0, 1) or standard normal.
        neutral: the raw draw that changes nothing, put where the gate stays shut.
        width: numbers drawn for one picture.
        gates: gates drawn for one picture, 1 or `width`.
    """

    strength: str
    kind: Literal["uniform", "normal"]
    neutral: float
    width: int = 1
    gates: int = 1


BLITS = ("xflip", "rotate90", "xint")
GEOMETRIC = (*BLITS, "scale", "rotate_pre", "aniso", "rotate_post", "xfrac")
COLOR = ("brightness", "contrast", "lumaflip", "hue", "saturation")

TRANSFORMS: dict[str, Transform] = {
    "xflip": Transform("xflip", "uniform", 0.0),
    "rotate90": Transform("rotate90", "uniform", 0.0),
    "xint": Transform("xint", "uniform", 0.5, width=2),
    "scale": Transform("scale", "normal", 0.0),
    "rotate_pre": Transform("rotate", "uniform", 0.5),
    "aniso": Transform("aniso", "normal", 0.0),
    "rotate_post": Transform("rotate", "uniform", 0.5),
    "xfrac": Transform("xfrac", "normal", 0.0, width=2),
    "brightness": Transform("brightness", "normal", 0.0),
    "contrast": Transform("contrast", "normal", 0.0),
    "lumaflip": Transform("lumaflip", "uniform", 0.0),
    "hue": Transform("hue", "uniform", 0.5),
    "saturation": Transform("saturation", "normal", 0.0),
    "imgfilter": Transform("imgfilter", "normal", 0.0, width=4, gates=4),
    "noise": Transform("noise", "normal", 0.0),
    "cutout": Transform("cutout", "uniform", 2.0, width=2),
}
"""Every transform in the order of application. A cutout is neutral when its center lies far outside."""

_PIXELS = ("xflip", "rotate90", "xint")
_GEOMETRY = ("scale", "rotate", "aniso", "xfrac")
PRESETS: dict[str, tuple[str, ...]] = {
    "b": _PIXELS,
    "bg": _PIXELS + _GEOMETRY,
    "bgc": _PIXELS + _GEOMETRY + COLOR,
    "bgcf": _PIXELS + _GEOMETRY + COLOR + ("imgfilter",),
    "bgcfn": _PIXELS + _GEOMETRY + COLOR + ("imgfilter", "noise"),
    "bgcfnc": _PIXELS + _GEOMETRY + COLOR + ("imgfilter", "noise", "cutout"),
    "blit": _PIXELS,
    "geom": _GEOMETRY,
    "color": COLOR,
    "filter": ("imgfilter",),
    "noise": ("noise",),
    "cutout": ("cutout",),
}
"""Groups of transforms by the names that the paper's ablation uses: blit, geometry, color, filter, noise, cutout."""


@dataclass(frozen=True)
class AdaDraws:
    """Everything random about augmenting one batch.

    Attributes:
        values: for each transform the raw draws, [N, width].
        gates: for each transform uniform draws in [0, 1), [N, gates]; it acts where the gate is below its probability.
        pixels: [N, C, H, W] standard normal, the picture that `noise` adds; None where noise is off.
    """

    values: dict[str, torch.Tensor]
    gates: dict[str, torch.Tensor]
    pixels: torch.Tensor | None = None


@dataclass(frozen=True)
class Amounts:
    """AdaDraws after their gates were decided.

    Attributes:
        values: for each transform the raw draws [N, width] in float64, neutral where the gate stayed shut.
        active: for each transform bool [N], whether any of its gates opened.
    """

    values: dict[str, torch.Tensor]
    active: dict[str, torch.Tensor]

    def any_active(self, names: tuple[str, ...]) -> torch.Tensor | None:
        """Which samples, bool [N], at least one of the named transforms touches, or None where no sample is touched.

        What is drawn on a device is not looked at, since that would make the processor wait: there None says that all
        of them are off.
        """
        rows = [self.active[name] for name in names if name in self.active]
        if not rows:
            return None
        touched = torch.stack(rows).any(0)
        return None if touched.device.type == "cpu" and not touched.any() else touched

    def __getitem__(self, name: str) -> torch.Tensor | None:
        """Raw draws [N, width] of a transform, or None where it is off."""
        return self.values.get(name)


def resolve_strengths(transforms: str | Mapping[str, float]) -> dict[str, float]:
    """Relative strengths by name, without those of zero.

    Args:
        transforms: a key of `PRESETS`, or a mapping from transform to relative strength (0 switches it off).

    Raises:
        UserError: for an unknown preset or transform, or a negative strength.
    """
    if isinstance(transforms, str):
        if transforms not in PRESETS:
            raise UserError(f"unknown augmentation preset {transforms!r}{did_you_mean(transforms, PRESETS)}")
        return dict.fromkeys(PRESETS[transforms], 1.0)
    accepted = {transform.strength for transform in TRANSFORMS.values()}
    for name, strength in transforms.items():
        if name not in accepted:
            raise UserError(f"unknown augmentation {name!r}{did_you_mean(name, sorted(accepted))}")
        if strength < 0:
            raise UserError(f"the strength of augmentation {name!r} is {strength}; it must be 0 (off) or more")
    return {name: float(strength) for name, strength in transforms.items() if strength > 0}


def draw(names: list[str], shape: torch.Size, generator: torch.Generator | None = None) -> AdaDraws:
    """Draw everything random about one batch, on the generator's device (the CPU without one).

    Args:
        names: keys of `TRANSFORMS`.
        shape: of the images, [N, C, H, W].
        generator: source of randomness; None uses torch's global one.
    """
    device = torch.device("cpu") if generator is None else generator.device
    samplers = {"uniform": torch.rand, "normal": torch.randn}
    values, gates = {}, {}
    for name in names:
        transform = TRANSFORMS[name]
        values[name] = samplers[transform.kind](shape[0], transform.width, generator=generator, device=device)
        gates[name] = torch.rand(shape[0], transform.gates, generator=generator, device=device)
    pixels = torch.randn(shape, generator=generator, device=device) if "noise" in values else None
    return AdaDraws(values, gates, pixels)


def decide(draws: AdaDraws, probabilities: dict[str, torch.Tensor]) -> Amounts:
    """Keep a draw where its gate is below its probability, put the neutral value elsewhere.

    Args:
        draws: of one batch.
        probabilities: for each transform a tensor [gates] in [0, 1].
    """
    values, active = {}, {}
    for name, value in draws.values.items():
        opened = draws.gates[name].double() < probabilities[name].to(value.device)
        values[name] = torch.where(opened, value.double(), TRANSFORMS[name].neutral)
        active[name] = opened.any(1)
    return Amounts(values, active)
