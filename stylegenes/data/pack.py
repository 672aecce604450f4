"""Packing a source: load in parallel, write in order, account for everything that is left out."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from pathlib import Path

import numpy as np

from stylegenes.data.hashing import hash_of
from stylegenes.data.packed import Description, LeftOut, PackedWriter
from stylegenes.data.progress import track
from stylegenes.data.source import Picture, Source
from stylegenes.errors import UserError

_CHUNK = 32
_SHOWN = 3
Loaded = Picture | LeftOut


def default_workers() -> int:
    """One process for each processor that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def pack(source: Source, folder: Path, *, workers: int) -> Description:
    """Write the packed form of `source` into an empty folder.

    Raises:
        UserError: when there is no image, or more than half of the files are bad: then something else is wrong.
    """
    writer = PackedWriter(folder, len(source.names), source.channels, source.resolution)
    kept: list[int] = []
    digests: list[str] = []
    left_out = list(source.left_out)

    def pictures() -> Iterator[np.ndarray]:
        loaded = track(load_all(source, workers), len(source.names), "preparing images")
        for index, item in enumerate(loaded):
            if isinstance(item, Picture):
                kept.append(index)
                digests.append(item.digest)
                yield item.pixels
            else:
                left_out.append(item)

    writer.write(pictures())
    refuse_if_mostly_bad(source.description, len(kept), left_out)
    labels = source.labels()[kept]
    description = _describe(source, [source.names[index] for index in kept], digests, labels, left_out)
    writer.finish(labels, description)
    return description


def load_all(source: Source, workers: int) -> Iterator[Loaded]:
    """All items in order, loaded by `workers` processes (in this one where that is 1 or there is little to do).

    Raises:
        UserError: when a worker process dies.
    """
    count = len(source.names)
    if workers <= 1 or count <= _CHUNK:
        yield from (source.load(index) for index in range(count))
        return
    chunks = deque(range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK))
    with ProcessPoolExecutor(workers, _context(), _start_worker, (source,)) as pool:
        running: deque[Future[list[Loaded]]] = deque()
        try:
            while chunks or running:
                while chunks and len(running) < 4 * workers:
                    running.append(pool.submit(_load_chunk, chunks.popleft()))
                yield from running.popleft().result()
        except BrokenProcessPool as error:
            raise UserError("a process that prepares images was killed; is memory short? try fewer workers") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def refuse_if_mostly_bad(description: str, good: int, left_out: list[LeftOut]) -> None:
    """Stop when there is nothing to train on.

    Raises:
        UserError: when no image is good, or more are bad than good.
    """
    if good and len(left_out) <= good:
        return
    if not left_out:
        raise UserError(f"{description} holds no images; allowed are PNG, JPEG, WebP, BMP, TIFF, GIF and PPM files")
    shown = "".join(f"\n  {item.name}: {item.reason}" for item in left_out[:_SHOWN])
    more = f"\n  and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
    raise UserError(
        f"{description}: only {good} of {good + len(left_out)} files can be used{shown}{more}\n"
        f"`stylegenes data check` lists each of them with what to do"
    )


def _describe(
    source: Source, names: list[str], digests: list[str], labels: np.ndarray, left_out: list[LeftOut]
) -> Description:
    content = {
        "items": list(zip(names, digests)),
        "labels": hashlib.sha256(np.ascontiguousarray(labels, np.float32).tobytes()).hexdigest(),
        "label_names": source.label_names,
        "parameters": source.parameters,
    }
    return Description(
        source=source.description,
        content_hash=hash_of(content),
        resolution=source.resolution,
        channels=source.channels,
        label_names=source.label_names,
        parameters=source.parameters,
        left_out=left_out,
        ignored=source.ignored,
        license=source.license,
    )


_source: Source | None = None
"""The source that this worker process loads from."""


def _start_worker(source: Source) -> None:
    global _source
    _source = source


def _load_chunk(indices: range) -> list[Loaded]:
    assert _source is not None
    return [_source.load(index) for index in indices]


def _context() -> BaseContext:
    """Forking is quick and needs no guard in the caller's script; elsewhere than on Linux it is not safe."""
    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
