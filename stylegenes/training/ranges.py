"""What the numbers of a run's configuration may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stylegenes.errors import UserError
from stylegenes.size import LARGEST

_POSITIVE: tuple[str, Callable[[float], bool]] = ("above 0", lambda value: value > 0)
_NOT_NEGATIVE: tuple[str, Callable[[float], bool]] = ("0 or more", lambda value: value >= 0)
_SHARE: tuple[str, Callable[[float], bool]] = ("between 0 and 1", lambda value: 0 <= value <= 1)
_DECAY: tuple[str, Callable[[float], bool]] = ("from 0 to below 1", lambda value: 0 <= value < 1)
_INTERVAL: tuple[str, Callable[[float], bool]] = ("0 for never, or at least 0.001", lambda v: v == 0 or v >= 1e-3)


def _between(low: float, high: float) -> tuple[str, Callable[[float], bool]]:
    return f"from {low:,g} to {high:,.0f}", lambda value: low <= value <= high


_SIZE: tuple[str, Callable[[Any], bool]] = (
    f"from 1 to {LARGEST:,.0f}",
    lambda value: isinstance(value, str) or 1 <= value <= LARGEST,
)

RANGES = {
    "kimg": _between(0.001, 1e9),
    "batch.total": _between(1, 2**20),
    "batch.micro": _between(1, 2**20),
    "mixing": _SHARE,
    "freeze_d": _NOT_NEGATIVE,
    "camera_noise": _NOT_NEGATIVE,
    "data.resolution": _SIZE,
    **{f"optimizer.{player}.{name}": _DECAY for player in "GD" for name in ("beta1", "beta2")},
    **{f"optimizer.{player}.eps": _POSITIVE for player in "GD"},
    **{f"optimizer.{player}.lr": _between(0, 1e6) for player in "GD"},
    "ema.half_life_kimg": _NOT_NEGATIVE,
    "ema.rampup": _NOT_NEGATIVE,
    **{f"intervals.{name}_seconds": _NOT_NEGATIVE for name in ("tick", "state")},
    **{f"intervals.{name}_kimg": _INTERVAL for name in ("snapshot", "image", "evaluate")},
    "intervals.silence_seconds": _between(2, 3600),
    "intervals.keep_snapshots": _NOT_NEGATIVE,
    "intervals.keep_images": _NOT_NEGATIVE,
}
"""Settings by their dotted name: what they may be, in words and as a test. None passes where a setting has it."""


def check_ranges(config: Any) -> None:
    """Refuse a configuration with a number that makes no sense.

    Raises:
        UserError: names every such setting, its value and what it may be.
    """
    wrong = []
    for name, (words, allowed) in RANGES.items():
        value = config
        for part in name.split("."):
            value = getattr(value, part)
        if value is not None and not allowed(value):
            wrong.append(f"{name} = {value} must be {words}")
    if wrong:
        raise UserError("; ".join(wrong))
