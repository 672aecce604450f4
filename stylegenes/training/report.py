"""Telling people how a run goes: status line, stats.jsonl, trackers, log file. Rank 0 alone has one."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import torch

from stylegenes.files import check_regular
from stylegenes.training.trackers import Trackers

log = logging.getLogger("stylegenes")


@dataclass(frozen=True)
class Tick:
    """One status line.

    Attributes:
        kimg: thousand images so far.
        step: steps so far.
        rate: images a second since the last tick.
        eta: seconds to the end of the run at this rate.
        losses: mean loss by phase.
        real_sign: r_t.
        gap: D(real) - D(fake).
        augment_p: augmentation strength.
        gradients: norm of the gradient by phase.
        vitals: what the latent tells about itself.
        memory: bytes in use: of the GPU where there is one, else of the process.
        seconds: training time so far, over all sittings.
        rollbacks: roll-backs so far.
        health: in words.
    """

    kimg: float
    step: int
    rate: float
    eta: float
    losses: dict[str, float]
    real_sign: float
    gap: float
    augment_p: float
    gradients: dict[str, float]
    vitals: dict[str, float]
    memory: int
    seconds: float
    rollbacks: int
    health: str
    metrics: dict[str, float] = field(default_factory=dict)

    def line(self) -> str:
        """The status line."""
        losses = " ".join(f"{name.replace(' main', '')} {value:.3f}" for name, value in self.losses.items())
        vitals = " ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in self.vitals.items())
        parts = [
            f"{self.kimg:8.1f} kimg",
            f"{self.rate:.4g} img/s",
            f"ETA {duration(self.eta)}",
            f"loss {losses}",
            f"r_t {self.real_sign:+.2f}",
            f"p {self.augment_p:.2f}",
            *([vitals] if vitals else []),
            f"{self.memory / 2**30:.1f} GiB",
            self.health,
        ]
        return " | ".join(parts)


_MOST_SECONDS = 10 * 365 * 24 * 3600
"""Seconds beyond which a duration is no forecast."""


def duration(seconds: float) -> str:
    """Seconds as h:mm:ss, or from two days on as days and hours: `13d 17h`; a question mark for what no run takes."""
    if not 0 <= seconds < _MOST_SECONDS:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours // 24}d {hours % 24:02d}h" if hours >= 48 else f"{hours}:{minutes:02d}:{rest:02d}"


def memory_in_use(device: torch.device) -> int:
    """Bytes: the peak on a CUDA device, else what the process holds."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else psutil.Process().memory_info().rss


class Reporter:
    """Writes into the run folder, and to the terminal unless told to be quiet.

    Args:
        folder: the run folder.
        trackers: where numbers and pictures go besides.
        quiet: whether the terminal stays silent.

    Raises:
        UserError: when there is something else than a file where a line is to be added.
    """

    def __init__(self, folder: Path, *, trackers: Trackers, quiet: bool) -> None:
        self.folder = folder
        for place in (folder / "log.txt", folder / "stats.jsonl"):
            if place.exists():
                check_regular(place)
        self._console = _console(quiet)
        self._handlers = _attach_handlers(folder / "log.txt", quiet)
        self._stats, self._lost = folder / "stats.jsonl", False
        self._trackers, self._pictured = trackers, -1

    def say(self, message: str) -> None:
        """A line for people."""
        log.info(message)

    def now(self, message: str) -> None:
        """What is going on this moment; shown on a terminal until the next line."""
        if self._console is not None:
            self._console.update(message)

    def tick(self, tick: Tick) -> None:
        """One status line, everywhere."""
        self.say(tick.line())
        self._note(asdict(tick))
        self._trackers.scalars(dict(_scalars(tick)), round(tick.kimg * 1000))

    def _note(self, values: dict[str, Any]) -> None:
        """A line for programs; where it cannot be written that is said once, and training goes on."""
        try:
            with self._stats.open("a", encoding="utf-8") as file:
                # After a failure half a line may stand there.
                file.write("\n" * self._lost + json.dumps(values) + "\n")
            self._lost = False
        except OSError as error:
            if not self._lost:
                log.warning("cannot write to %s: %s; training goes on without", self._stats, error)
            self._lost = True

    def picture(self, path: Path, images: int) -> None:
        """A grid of sample pictures was written, after so many images; the last one is, again, when the run ends."""
        if images != self._pictured:
            self._trackers.picture(path, images)
        self._pictured = images

    def close(self) -> None:
        """Stop writing."""
        if self._console is not None:
            self._console.stop()
        self._trackers.close()
        for handler in self._handlers:
            log.removeHandler(handler)
            handler.close()


def _scalars(tick: Tick) -> list[tuple[str, float]]:
    pairs = [(f"loss/{name}", value) for name, value in tick.losses.items()]
    pairs += [(f"gradient/{name}", value) for name, value in tick.gradients.items()]
    pairs += [(f"latent/{name}", value) for name, value in tick.vitals.items()]
    pairs += [(f"metric/{name}", value) for name, value in tick.metrics.items()]
    names = ("rate", "real_sign", "gap", "augment_p", "memory")
    return pairs + [(f"run/{name}", float(getattr(tick, name))) for name in names]


def _attach_handlers(path: Path, quiet: bool) -> list[logging.Handler]:
    handlers: list[logging.Handler] = [logging.FileHandler(path, encoding="utf-8")]
    handlers[0].setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    if not quiet:
        handlers.append(_terminal_handler())
    for handler in handlers:
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    return handlers


def _terminal_handler() -> logging.Handler:
    if not sys.stdout.isatty():
        return logging.StreamHandler(sys.stdout)
    from rich.logging import RichHandler

    return RichHandler(show_level=False, show_path=False, log_time_format="%H:%M:%S", markup=False)


def _console(quiet: bool) -> Any:
    if quiet or not sys.stdout.isatty():
        return None
    from rich import get_console

    status = get_console().status("starting")
    status.start()
    return status
