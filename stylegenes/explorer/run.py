"""`/run`: a training run, live while it trains.

What reads a run is imported where a run is read: the room of training takes a third of the start, and models need none.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Response
from fastapi import Path as Part
from fastapi.responses import StreamingResponse

from stylegenes.explorer.answers import problems
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.events import EVENTS
from stylegenes.explorer.tool_schemas import GridAt, MetricCurve, RunAnswer

if TYPE_CHECKING:
    from stylegenes.training.diary import Diary

_SECONDS = 1.0
_QUIET = 15
_PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "The grid."},
    304: {"description": "Unchanged."},
}


def run_routes(desk: Desk) -> APIRouter:
    """The training run; there is none where a model is explored."""
    router = APIRouter(prefix="/run", tags=["run"], responses=problems(404))

    @router.get("")
    def run() -> RunAnswer:
        """Losses, signals, metrics and grids so far."""
        folder = _folder(desk)
        from stylegenes.training.diary import read_diary

        return told(read_diary(folder))

    @router.get("/grids/{kimg}.png", response_class=Response, responses=_PNG)
    def grid(
        kimg: Annotated[float, Part(ge=0, le=10**9)], if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        """The sample grid of a moment."""
        folder = _folder(desk)
        from stylegenes.training.images import sample_grids

        path = sample_grids(folder).get(kimg)
        try:
            content = b"" if path is None else path.read_bytes()
        except OSError:
            content = b""
        if not content:
            raise HTTPException(404, "there is no grid of that moment")
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if if_none_match == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="image/png", headers=headers)

    @router.get("/events", response_class=StreamingResponse, responses=EVENTS)
    def events() -> StreamingResponse:
        """`changed` whenever the run has written something."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_changes(_folder(desk)), media_type="text/event-stream", headers=headers)

    return router


def _written(kimg: float) -> str:
    return f"{kimg:.3f}".rstrip("0").rstrip(".")


def told(diary: Diary) -> RunAnswer:
    """What `/run` says."""
    from stylegenes.training.history import best_value

    names = sorted({name for entry in diary.metrics for name in entry} - {"kimg"})
    curves = []
    for name in names:
        points = [(entry["kimg"], entry[name]) for entry in diary.metrics if name in entry]
        kimg, value = ([point[i] for point in points] for i in (0, 1))
        curves.append(MetricCurve(name=name, kimg=kimg, value=value, best=best_value(name, value)))
    return RunAnswer(
        name=diary.name,
        live=diary.live,
        kimg=diary.kimg[-1] if diary.kimg else 0.0,
        total_kimg=diary.total_kimg,
        eta_seconds=diary.eta,
        rate=diary.rate,
        health=diary.health,
        kimg_axis=diary.kimg,
        losses=diary.losses,
        signals=diary.signals,
        metrics=curves,
        grids=[GridAt(kimg=kimg, address=f"/api/v1/run/grids/{_written(kimg)}.png") for kimg in diary.grids],
        events=diary.lines,
    )


def _folder(desk: Desk) -> Path:
    if desk.run is None:
        raise HTTPException(404, "this is a model and no training run; stylegenes explore RUN_FOLDER shows one")
    return desk.run


async def _changes(folder: Path) -> AsyncIterator[bytes]:
    from stylegenes.training.diary import signature

    yield b"retry: 2000\n\n"
    before, quiet = None, 0
    while True:
        now = await asyncio.to_thread(signature, folder)
        quiet += 1
        if now != before:
            before, quiet = now, 0
            yield b"event: changed\ndata: {}\n\n"
        elif quiet >= _QUIET:
            quiet = 0
            yield b": still here\n\n"
        await asyncio.sleep(_SECONDS)
