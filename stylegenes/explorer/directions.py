"""`/directions`: principal components at once, directions of attributes once somebody has had them fitted."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from stylegenes.errors import UserError
from stylegenes.explorer.answers import problems
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.events import EVENTS, EventFeed, stream
from stylegenes.explorer.tool_schemas import ComponentRow, DirectionRow, DirectionsAnswer
from stylegenes.explorer.worker import OWN_MISTAKE, Priority, Stopped

log = logging.getLogger(__name__)

FittingState = Literal["none", "fitting", "ready", "failed", "unavailable"]


class Fitting:
    """The one fit of a model's directions, done between more urgent work.

    Args:
        desk: whose model and worker.
        samples: pictures to judge, or None for as many as the compass takes by itself.
    """

    def __init__(self, desk: Desk, samples: int | None = None) -> None:
        self.desk, self.samples = desk, samples
        self.state: FittingState = "none"
        self.reason = ""
        self.progress = ("", 0, 0)
        self.feed = EventFeed()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin, unless it was begun; after a fit that failed, begin again.

        Raises:
            UserError: without a classifier.
            Busy: when too much waits.
        """
        _ = self.desk.opened.classifier
        with self._lock:
            if self.state in ("fitting", "ready"):
                return
            self.state, self.reason = "fitting", ""
            # Whoever listens from now on hears nothing of an earlier fit that failed.
            self._tell("beginning", 0, 0)
            try:
                self.desk.worker.submit(self._fit, Priority.BACKGROUND)
            except Exception:
                self.state = "none"
                raise

    def _fit(self) -> None:
        model = self.desk.opened
        count = {} if self.samples is None else {"samples": self.samples}
        try:
            model.compass.fit(model.classifier, on_progress=self._between, **count)
        except UserError as error:
            self._fail("unavailable", str(error))
        except Stopped:
            self.state = "none"
        except Exception as error:
            # Nobody waits for this work but by its events, so that nobody else would say it.
            log.error("the directions could not be fitted", exc_info=error)
            self._fail("failed", OWN_MISTAKE)
        else:
            self.state = "ready"
            self.feed.put("ready", {})

    def _between(self, what: str, done: int, total: int) -> None:
        if self.desk.worker.stopped:
            raise Stopped
        self._tell(what, done, total)
        self.desk.worker.serve()

    def _tell(self, what: str, done: int, total: int) -> None:
        self.progress = (what, done, total)
        self.feed.put("progress", {"what": what, "done": done, "total": total})

    def _fail(self, state: FittingState, reason: str) -> None:
        self.state, self.reason = state, reason
        self.feed.put("failed", {"detail": reason})


def direction_routes(desk: Desk) -> APIRouter:
    """The directions of the model."""
    router = APIRouter(prefix="/directions", tags=["directions"], responses=problems(404, 503))
    fitting = Fitting(desk)

    @router.get("")
    async def directions(request: Request) -> DirectionsAnswer:
        """The directions that there are, and how far a fit is."""
        return await desk.do(request, lambda: told(desk, fitting), key="directions")

    @router.post("/fit", status_code=202)
    async def fit(request: Request) -> DirectionsAnswer:
        """Begin to fit directions for the classifier's attributes."""
        fitting.start()
        return await desk.do(request, lambda: told(desk, fitting))

    @router.get("/events", response_class=StreamingResponse, responses=EVENTS)
    def events() -> StreamingResponse:
        """How the fit goes: `progress`, `ready`, `failed`."""
        _ = desk.opened
        return stream(fitting.feed, ends=("ready", "failed"))

    return router


def told(desk: Desk, fitting: Fitting) -> DirectionsAnswer:
    """What `/directions` says."""
    compass = desk.opened.compass
    shares = compass.components.variance / compass.components.variance.sum()
    components = [
        ComponentRow(name=name, explained=round(float(share), 6))
        for name, share in zip(compass.component_names, shares, strict=False)
    ]
    state, reason = fitting.state, fitting.reason
    if state == "none":
        reason = _missing(lambda: desk.opened.classifier)
        state = "unavailable" if reason else "none"
    rows = {fit.attribute: fit for fit in compass.fits}
    attributes = [
        DirectionRow(
            name=name,
            auc=_number(rows[name].auc),
            balanced_accuracy=_number(rows[name].balanced_accuracy),
            positives=rows[name].positives,
        )
        for name in (compass.attributes if state == "ready" else [])
    ]
    what, done, total = fitting.progress
    return DirectionsAnswer(
        state=state, reason=reason, what=what, done=done, total=total, attributes=attributes, components=components
    )


def _number(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None


def _missing(find: Callable[[], object]) -> str:
    try:
        find()
    except UserError as error:
        return str(error)
    return ""
