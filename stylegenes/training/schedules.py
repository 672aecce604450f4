"""Schedules: named quantities as functions of the state of training."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from stylegenes.errors import UserError
from stylegenes.registry import Registry
from stylegenes.shape import Count
from stylegenes.size import LARGEST, Size


@dataclass(frozen=True)
class Progress:
    """What a schedule may depend on.

    Attributes:
        images: real images shown to the discriminator so far.
        batch: images in a step.
        step: steps done so far.
        real_sign: mean sign of D(real) over the steps since the schedule was last asked, in [-1, 1]: r_t.
        current: the quantity's present value.
        size: of the fully grown pictures.
    """

    images: int
    batch: int
    step: int
    real_sign: float
    current: float
    size: Size = field(default_factory=lambda: Size(LARGEST, LARGEST))


class Schedule(ABC):
    """Sets one named quantity.

    Attributes:
        interval: asked every so many steps.
        initial: value before the first step.
    """

    interval: int = 1
    initial: float = 0.0

    @abstractmethod
    def value(self, progress: Progress) -> float:
        """The quantity from here on."""


SCHEDULES: Registry[Schedule] = Registry("schedule")


@SCHEDULES.register("fixed")
class Fixed(Schedule):
    """A constant."""

    def __init__(
        self,
        value: float = 0.0,  # the constant
    ) -> None:
        self.initial = value

    def value(self, progress: Progress) -> float:
        """The constant."""
        return self.initial


@SCHEDULES.register("ramp")
class Ramp(Schedule):
    """A straight line between two values."""

    def __init__(
        self,
        start: float,  # value until start_kimg
        end: float,  # value from end_kimg on
        *,
        start_kimg: float = 0.0,  # thousand images where the line begins
        end_kimg: float = 1000.0,  # thousand images where it ends
    ) -> None:
        if end_kimg <= start_kimg:
            raise UserError(f"a ramp needs end_kimg > start_kimg; got {start_kimg} and {end_kimg}")
        self.initial, self.end = start, end
        self.start_kimg, self.end_kimg = start_kimg, end_kimg

    def value(self, progress: Progress) -> float:
        """The point on the line."""
        t = (progress.images / 1000 - self.start_kimg) / (self.end_kimg - self.start_kimg)
        return self.initial + (self.end - self.initial) * min(max(t, 0.0), 1.0)


@SCHEDULES.register("cosine")
class Cosine(Ramp):
    """Half a wave of a cosine between two values (Loshchilov and Hutter 2017, "SGDR", Eq. 5, without restarts)."""

    def value(self, progress: Progress) -> float:
        """The point on the wave."""
        t = (progress.images / 1000 - self.start_kimg) / (self.end_kimg - self.start_kimg)
        return self.end + (self.initial - self.end) * (1 + math.cos(math.pi * min(max(t, 0.0), 1.0))) / 2


@SCHEDULES.register("progressive")
class Progressive(Schedule):
    """log2 of the resolution of a growing GAN (Karras et al. 2018, "Progressive Growing of GANs", appendix A).

    Each resolution is trained for a while, then the next one fades in. Networks stop growing at their own resolution.
    It is the resolution of squares; other pictures are doubled as often from their own start grid.
    """

    def __init__(
        self,
        start: int = 8,  # resolution in pixels at the beginning
        *,
        hold_kimg: float = 600.0,  # thousand images at each resolution
        fade_kimg: float = 600.0,  # thousand images in which the next one fades in
    ) -> None:
        if start < 4 or hold_kimg < 0 or fade_kimg <= 0:
            raise UserError(f"growth needs start >= 4, hold_kimg >= 0 and fade_kimg > 0; got {start=}, {hold_kimg=}, "
                            f"{fade_kimg=}")  # fmt: skip
        self.hold_kimg, self.fade_kimg = hold_kimg, fade_kimg
        self.initial = math.log2(start)

    def level(self, images: int) -> float:
        """log2 of the resolution after so many images."""
        phase, within = divmod(images / 1000, self.hold_kimg + self.fade_kimg)
        return self.initial + phase + max(within - self.hold_kimg, 0.0) / self.fade_kimg

    def value(self, progress: Progress) -> float:
        """log2 of the resolution."""
        return self.level(progress.images)


@SCHEDULES.register("by_resolution")
class ByResolution(Progressive):
    """A value for each resolution of a growing GAN, from the moment it begins to fade in, as long as it grows.

    The resolution is the longer side in pixels, whatever the shape of the pictures.
    """

    def __init__(
        self,
        values: list[list[float]],  # pairs of a resolution in pixels and the value from there on
        start: int = 8,  # as in Progressive
        *,
        hold_kimg: float = 600.0,  # as in Progressive
        fade_kimg: float = 600.0,  # as in Progressive
    ) -> None:
        super().__init__(start, hold_kimg=hold_kimg, fade_kimg=fade_kimg)
        if not values or any(len(pair) != 2 for pair in values):
            raise UserError(
                f"values are pairs of a resolution and a value, such as [[8, 1.0], [128, 1.5]]; got {values}"
            )
        self.values = sorted(values)
        self.start_level, self.initial = self.initial, self.values[0][1]

    def value(self, progress: Progress) -> float:
        """The value of the highest resolution that has been reached."""
        phase, within = divmod(progress.images / 1000, self.hold_kimg + self.fade_kimg)
        size = progress.size
        doubled = math.ceil(self.start_level - 2 + phase + (within > self.hold_kimg) - 1e-6)
        resolution = size.halved(size.doublings - min(max(doubled, 0), size.doublings)).longer
        reached = [value for least, value in self.values if least <= resolution]
        return reached[-1] if reached else self.values[0][1]


@SCHEDULES.register("adaptive")
class AdaptiveAugmentation(Schedule):
    """Augmentation strength that keeps r_t = E[sign D(real)] at a target (Karras et al. 2020, ADA, section 3.2)."""

    def __init__(
        self,
        target: float = 0.6,  # wanted mean sign of D(real)
        *,
        interval: Count = 4,  # adjusted every so many steps
        speed_kimg: float = 500.0,  # thousand images in which the strength can go from 0 to 1
        initial: float = 0.0,  # strength at the start
    ) -> None:
        if not -1 <= target <= 1 or interval < 1 or speed_kimg <= 0:
            raise UserError(
                f"adaptive augmentation needs -1 <= target <= 1, interval >= 1 and speed_kimg > 0; "
                f"got {target=}, {interval=}, {speed_kimg=}"
            )
        self.target, self.interval, self.speed_kimg, self.initial = target, interval, speed_kimg, initial

    def value(self, progress: Progress) -> float:
        """One step up when D is too sure of the reals, down when it is not, within [0, 1]."""
        direction = (progress.real_sign > self.target) - (progress.real_sign < self.target)
        step = direction * progress.batch * self.interval / (self.speed_kimg * 1000)
        return min(max(progress.current + step, 0.0), 1.0)
