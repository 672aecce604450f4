"""Photos into the model, one after another, between more urgent work; each can be watched and cancelled."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from stylegenes.drawing import DrawSettings
from stylegenes.errors import UserError
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.events import EventFeed
from stylegenes.explorer.nodes import Unknown
from stylegenes.explorer.worker import OWN_MISTAKE, Busy, Priority, Stopped
from stylegenes.inversion.calibration import Calibration, calibrate
from stylegenes.inversion.inversion import InversionSettings
from stylegenes.inversion.invert import invert
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.photos import Photos
from stylegenes.inversion.projection import ProjectionSettings
from stylegenes.records import Condition
from stylegenes.styles import write_styles

log = logging.getLogger(__name__)

SittingState = Literal["waiting", "running", "done", "cancelled", "failed"]
ENDS = ("done", "cancelled", "failed")
_OWN = 6
"""The model's own samples that tell what it can reach."""
_WAITING, _KEPT = 4, 32
_SECONDS = 0.15
"""Between two events of progress."""
_VERDICTS = {
    "own": "It is reached like one of the model's own pictures.",
    "near": "It is near to what the model draws, and not quite reached.",
    "outside": "It looks unlike anything that the model was trained on; expect a likeness at best.",
}


class Cancelled(Exception):
    """Somebody has given the photo up."""


@dataclass
class Sitting:
    """One photo on its way.

    Attributes:
        photos: the target.
        settings: how it is inverted.
        told: the label that a conditional model is told.
        feed: what happens.
        id: nobody guesses it.
        state: waiting, running, done, cancelled or failed.
        done: steps done.
        total: all steps.
        result: what came of it.
        detail: what went wrong.
        given_up: whether it was cancelled.
    """

    photos: Photos
    settings: InversionSettings
    told: Condition = field(default_factory=Condition)
    feed: EventFeed = field(default_factory=EventFeed)
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: SittingState = "waiting"
    done: int = 0
    total: int = 0
    result: dict[str, Any] | None = None
    detail: str = ""
    given_up: bool = False

    def note(self, text: str) -> None:
        """Say what is to be known of the photo or of its search."""
        self.feed.put("note", {"text": text}, lasts=True)

    def end(self, state: SittingState, data: dict[str, Any]) -> None:
        """Say how it ended."""
        self.state = state
        self.feed.put(state, data)

    def fail(self, detail: str) -> None:
        """Say what went wrong."""
        self.detail = detail
        self.end("failed", {"detail": detail})


class Inverter:
    """All photos on their way.

    Args:
        desk: whose model and worker.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._sittings: OrderedDict[str, Sitting] = OrderedDict()
        self._calibrations: dict[tuple[ProjectionSettings, tuple[float, ...] | None], Calibration] = {}
        self._lock = threading.Lock()

    def begin(self, photos: Photos, settings: InversionSettings, told: Condition) -> Sitting:
        """Queue a photo; the label is what a conditional model is told.

        Raises:
            Busy: when others wait already.
        """
        sitting = Sitting(photos, settings, told, total=settings.steps)
        with self._lock:
            waiting = [one for one in self._sittings.values() if one.state in ("waiting", "running")]
            if len(waiting) >= _WAITING:
                raise Busy(30)
            self.desk.worker.submit(lambda: self._work(sitting), Priority.BACKGROUND)
            self._sittings[sitting.id] = sitting
            for old in [one for one in self._sittings.values() if one.state in ENDS][: -_KEPT or None]:
                del self._sittings[old.id]
        return sitting

    def find(self, name: str) -> Sitting:
        """The photo of an id.

        Raises:
            Unknown: when there is none, or not any more.
        """
        with self._lock:
            found = self._sittings.get(name)
        if found is None:
            raise Unknown("there is no such inversion, or not any more")
        return found

    def cancel(self, name: str) -> None:
        """Give a photo up; one that is done stays done.

        Raises:
            Unknown: when there is none.
        """
        sitting = self.find(name)
        sitting.given_up = True
        if sitting.state == "waiting":
            sitting.end("cancelled", {})

    def _work(self, sitting: Sitting) -> None:
        if sitting.given_up:
            return
        sitting.state = "running"
        try:
            sitting.result = self._invert(sitting)
        except (Cancelled, Stopped):
            sitting.end("cancelled", {})
        except UserError as error:
            sitting.fail(str(error))
        except Exception as error:
            # Nobody waits for this work but by its events, so that nobody else would say it.
            log.error("a photo could not be brought into the model", exc_info=error)
            sitting.fail(OWN_MISTAKE)
        else:
            sitting.end("done", sitting.result)

    def _invert(self, sitting: Sitting) -> dict[str, Any]:
        model = self.desk.opened
        objective, progress = Objective(model.study.perceptual), _Progress(self.desk, sitting)
        found = invert(
            model.generator,
            sitting.photos,
            sitting.settings,
            objective,
            condition=sitting.told,
            name=model.card.name,
            on_progress=progress.say,
            on_note=sitting.note,
            on_styles=progress.see,
        )
        verdict = self._calibration(sitting, objective, progress).verdicts(found.projection)[0]
        (projection,) = write_styles(found.ws)
        code = found.codes[0] if found.codes else projection
        with torch.no_grad():
            target = sitting.photos.images.to(model.device)
            seen = DrawSettings(condition=Condition(sitting.told.label, found.cameras).to(model.device))
            apart = float(objective.perceptual(target, model.images([code], seen)))
        return {
            "code": code,
            "projection": projection,
            "verdict": verdict,
            "sentence": _VERDICTS[verdict],
            "distance": round(apart, 5),
            "judge": objective.perceptual.name,
        }

    def _calibration(self, sitting: Sitting, objective: Objective, progress: _Progress) -> Calibration:
        """What the model reaches with these settings and this label; learned with the first photo."""
        model, settings, label = self.desk.opened, sitting.settings.projection, sitting.told.label
        key = settings, None if label is None else tuple(label[0].tolist())
        if key not in self._calibrations:
            self._calibrations[key] = calibrate(
                model.generator,
                objective,
                settings,
                n=_OWN,
                condition=sitting.told,
                on_step=lambda done, total: progress.say("learning what the model can reach", done, total),
            )
        return self._calibrations[key]


class _Progress:
    """Tells how far a photo is, and lets more urgent work be done."""

    def __init__(self, desk: Desk, sitting: Sitting) -> None:
        self.desk, self.sitting = desk, sitting
        self.ws: torch.Tensor | None = None
        self._told = 0.0

    def see(self, ws: torch.Tensor) -> None:
        """Remember the style vectors of this step."""
        self.ws = ws

    def say(self, what: str, done: int, total: int) -> None:
        """A step is done."""
        if self.sitting.given_up:
            raise Cancelled
        if self.desk.worker.stopped:
            raise Stopped
        self.sitting.done, self.sitting.total = done, total
        now = time.monotonic()
        if now - self._told > _SECONDS or done == total:
            self._told = now
            seen = {} if self.ws is None else {"code": write_styles(self.ws)[0]}
            self.sitting.feed.put("progress", {"what": what, "done": done, "total": total, **seen})
        self.desk.worker.serve()
