"""What all parts of the server share: the model, its worker, drawn pictures, and how a request waits for work."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from fastapi import HTTPException, Request

from stylegenes.explorer.looks import Shown, read_look
from stylegenes.explorer.store import SessionStore
from stylegenes.explorer.worker import Priority, Worker

if TYPE_CHECKING:
    from stylegenes.model import Model

T = TypeVar("T")
HASH = 16
"""Digits of the weights' fingerprint in addresses."""


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


class Shelf:
    """The encoded pictures that were asked for last.

    Args:
        most: bytes that are kept.
    """

    def __init__(self, most: int = 128 * 2**20) -> None:
        self.most, self.size = most, 0
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, address: str) -> bytes | None:
        """The file of an address, or None."""
        with self._lock:
            found = self._files.get(address)
            if found is not None:
                self._files.move_to_end(address)
            return found

    def put(self, address: str, file: bytes) -> bytes:
        """Keep a file, and let go of those that were asked for least recently."""
        with self._lock:
            if address in self._files:
                self.size -= len(address) + len(self._files.pop(address))
            # Addresses count: one with style vectors is longer than its picture.
            self.size += len(address) + len(file)
            self._files[address] = file
            while self.size > self.most and len(self._files) > 1:
                self.size -= sum(map(len, self._files.popitem(last=False)))
            return file


@dataclass
class Desk:
    """What all parts of the server share.

    Attributes:
        model: or None, for a run that has no snapshot yet.
        run: folder of the training run that is shown, or None.
        worker: owns the model.
        shelf: drawn pictures.
        store: sessions; None where there is no model.
    """

    model: Model | None
    run: Path | None = None
    worker: Worker = field(default_factory=Worker)
    shelf: Shelf = field(default_factory=Shelf)
    store: SessionStore | None = None

    @property
    def opened(self) -> Model:
        """The model.

        Raises:
            HTTPException: 404 where there is none yet.
        """
        if self.model is None:
            raise HTTPException(404, "this run has no snapshot yet; its pictures come with the first one")
        return self.model

    @property
    def hash(self) -> str:
        """What the addresses of the model's pictures begin with."""
        return self.opened.weights[:HASH]

    def close(self) -> None:
        """Stop working."""
        self.worker.stop()
        if self.store is not None:
            self.store.close()

    def look(self, text: str) -> Shown:
        """How to draw.

        Raises:
            UserError: for a text that cannot be read.
        """
        return read_look(self.opened, text)

    async def do(
        self,
        request: Request,
        work: Callable[[], T],
        priority: Priority = Priority.CLICK,
        *,
        key: str | None = None,
        slot: str | None = None,
    ) -> T:
        """Let the worker do something and wait for it; who leaves gives it up.

        Args:
            request: given up when its client leaves.
            work: runs on the worker.
            priority: what goes first.
            key: what it makes; who asks for the same while it waits shares it.
            slot: where the answer is shown; a newer request of a slot replaces an older one that waits.

        Raises:
            ClientGone: when nobody waits any more.
            Busy: when too much waits.
            Replaced: when a newer request took the slot.
        """
        future = asyncio.wrap_future(self.worker.submit(work, priority, key=key, slot=slot))
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait({future, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                raise ClientGone
            return cast(T, future.result())
        finally:
            future.cancel()
            gone.cancel()


async def _gone(request: Request) -> None:
    """Returns when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
