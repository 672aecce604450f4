"""Experiment trackers behind one small interface: TensorBoard, Weights & Biases, trackio.

A tracker never ends a run: what it cannot take is said once, and the run goes on without it.
"""

from __future__ import annotations

import importlib
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from stylegenes.errors import UserError, shown
from stylegenes.files import atomic_path
from stylegenes.words import did_you_mean

log = logging.getLogger("stylegenes")

PROJECT = "stylegenes"
"""The project where trackers file runs, unless their own settings in the environment say otherwise."""


class Tracker(Protocol):
    """Where numbers and pictures of a run go. Opened with the run folder and the run's settings."""

    def scalars(self, values: Mapping[str, float], images: int) -> None:
        """Numbers by name, after so many images."""

    def picture(self, path: Path, images: int) -> None:
        """A grid of sample pictures, after so many images."""

    def close(self) -> None:
        """Write what is left."""


class TensorBoard:
    """Event files in `tensorboard/` of the run folder."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder / "tensorboard"))

    def scalars(self, values: Mapping[str, float], images: int) -> None:
        """See `Tracker`."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, images)

    def picture(self, path: Path, images: int) -> None:
        """See `Tracker`."""
        with Image.open(path) as image:
            self._writer.add_image("samples", np.asarray(image.convert("RGB")), images, dataformats="HWC")

    def close(self) -> None:
        """See `Tracker`."""
        self._writer.close()


class Wandb:
    """Weights & Biases; WANDB_MODE=offline, WANDB_PROJECT and the like are its own. A run that goes on stays one."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._wandb = _module("wandb")
        # The settings of the environment count where they are given.
        named = self._wandb.Settings()
        self._run = self._wandb.init(
            project=named.project or PROJECT,
            name=named.run_name or folder.resolve().name,
            id=named.run_id or _identity(folder),
            dir=str(folder),
            config=dict(settings),
            resume="allow",
            allow_val_change=True,
        )
        # Not its own counter of steps, which would refuse what comes after a roll-back.
        self._run.define_metric("images")
        self._run.define_metric("*", step_metric="images")

    def scalars(self, values: Mapping[str, float], images: int) -> None:
        """See `Tracker`."""
        self._run.log({**values, "images": images})

    def picture(self, path: Path, images: int) -> None:
        """See `Tracker`."""
        self._run.log({"samples": self._wandb.Image(str(path)), "images": images})

    def close(self) -> None:
        """See `Tracker`."""
        self._run.finish()


class Trackio:
    """trackio, which keeps runs on this machine; TRACKIO_PROJECT, TRACKIO_SPACE_ID and the like are its own."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._trackio = _module("trackio")
        name = f"{folder.resolve().name}-{_identity(folder)}"
        project = os.environ.get("TRACKIO_PROJECT", PROJECT)
        self._run = self._trackio.init(project=project, name=name, config=dict(settings), resume="allow", embed=False)

    def scalars(self, values: Mapping[str, float], images: int) -> None:
        """See `Tracker`."""
        self._run.log(dict(values), step=images)

    def picture(self, path: Path, images: int) -> None:
        """See `Tracker`."""
        self._run.log({"samples": self._trackio.Image(str(path))}, step=images)

    def close(self) -> None:
        """See `Tracker`."""
        self._run.finish()


TRACKERS: dict[str, Callable[[Path, Mapping[str, Any]], Tracker]] = {
    "tensorboard": TensorBoard,
    "wandb": Wandb,
    "trackio": Trackio,
}


class Trackers:
    """Several trackers as one; one that fails is told of and left out from then on.

    Args:
        names: of `TRACKERS`.
        folder: the run folder.
        settings: of the run, as plain values.

    Raises:
        UserError: when the package of one is missing, or it does not open.
    """

    def __init__(self, names: Iterable[str], folder: Path, settings: Mapping[str, Any]) -> None:
        self._open = {name: _opened(name, folder, settings) for name in names}

    def scalars(self, values: Mapping[str, float], images: int) -> None:
        """See `Tracker`."""
        self._each(lambda tracker: tracker.scalars(values, images))

    def picture(self, path: Path, images: int) -> None:
        """See `Tracker`."""
        self._each(lambda tracker: tracker.picture(path, images))

    def close(self) -> None:
        """See `Tracker`."""
        self._each(lambda tracker: tracker.close())

    def _each(self, do: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._open.items()):
            try:
                do(tracker)
            # Days of training must not end with whatever a service on the network comes up with.
            except Exception as error:
                del self._open[name]
                log.warning("%s failed and gets no more of this run: %s", name, shown(error, 200))


def parse_trackers(text: str) -> list[str]:
    """`wandb,trackio` as names; `none` and nothing are none.

    Raises:
        UserError: for a name that there is not.
    """
    names = [name.strip() for name in text.split(",") if name.strip() not in ("", "none")]
    for name in names:
        if name not in TRACKERS:
            raise UserError(f"there is no tracker {shown(name)!r}{did_you_mean(name, TRACKERS, 'trackers')}")
    return list(dict.fromkeys(names))


def _opened(name: str, folder: Path, settings: Mapping[str, Any]) -> Tracker:
    try:
        return TRACKERS[name](folder, settings)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{name} does not open: {shown(error, 300)}; log in to it, set it to offline (WANDB_MODE=offline), or "
            "go on without it (--set trackers=none)"
        ) from error


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UserError(f"trackers={name} needs the package {name}: pip install 'stylegenes[{name}]'") from error


def _identity(folder: Path) -> str:
    """What a run is called by trackers for good; a copy of the folder is the same run."""
    place = folder / "tracker-id.txt"
    if not place.exists():
        with atomic_path(place) as part:
            part.write_text(secrets.token_hex(4) + "\n", encoding="utf-8")
    return place.read_text(encoding="utf-8").strip()
