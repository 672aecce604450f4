"""Server-sent events: a feed that remembers its last event and what lasts, for whoever comes later or again."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi.responses import StreamingResponse

EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Events, until the last one."}
}
_PATIENCE = 15.0
"""Seconds without an event after which a comment shows that the line still stands."""
_MOST_WAITING = 1000


class EventFeed:
    """Events of one thing, from any thread to any number of listeners."""

    def __init__(self) -> None:
        self.last: tuple[str, str] | None = None
        self._lasting: list[tuple[str, str]] = []
        self._listeners: dict[asyncio.Queue[tuple[str, str]], asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()

    def put(self, event: str, data: Mapping[str, Any], *, lasts: bool = False) -> None:
        """Tell all listeners; what lasts is told to everyone who comes later too."""
        said = (event, json.dumps(dict(data)))
        with self._lock:
            if lasts:
                self._lasting.append(said)
            else:
                self.last = said
            for queue, loop in list(self._listeners.items()):
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_offer, queue, said)

    def listen(self) -> asyncio.Queue[tuple[str, str]]:
        """A queue that begins with what lasts and the last event; give it back with `leave`."""
        queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_MOST_WAITING)
        with self._lock:
            self._listeners[queue] = asyncio.get_running_loop()
            for said in (*self._lasting, self.last):
                if said is not None:
                    queue.put_nowait(said)
        return queue

    def leave(self, queue: asyncio.Queue[tuple[str, str]]) -> None:
        """Stop listening."""
        with self._lock:
            self._listeners.pop(queue, None)


def _offer(queue: asyncio.Queue[tuple[str, str]], said: tuple[str, str]) -> None:
    """Add an event; who does not keep up loses the oldest one."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(said)


def stream(feed: EventFeed, ends: tuple[str, ...] = ()) -> StreamingResponse:
    """A feed as an answer, which ends with one of the events `ends`."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(feed, ends), media_type="text/event-stream", headers=headers)


async def _events(feed: EventFeed, ends: tuple[str, ...]) -> AsyncIterator[bytes]:
    queue = feed.listen()
    try:
        yield b"retry: 2000\n\n"
        while True:
            try:
                event, data = await asyncio.wait_for(queue.get(), _PATIENCE)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            yield f"event: {event}\ndata: {data}\n\n".encode()
            if event in ends:
                return
    finally:
        feed.leave(queue)
