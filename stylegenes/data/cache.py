"""The cache of packed data sets: found by content hash, built once, shared by all processes."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from stylegenes.data.hashing import hash_of
from stylegenes.data.pack import pack
from stylegenes.data.packed import FORMAT, DamagedError, PackedDataset
from stylegenes.data.progress import Track
from stylegenes.data.source import Source
from stylegenes.errors import UserError
from stylegenes.files import read_json, write_json

logger = logging.getLogger(__name__)

_FORGOTTEN = 7 * 24 * 3600.0
"""Seconds after which an interrupted build is not gone on with."""


def cache_root(cache_dir: str | Path | None = None) -> Path:
    """Where caches lie: the argument, else the environment's STYLEGENES_CACHE, else the platform's cache folder."""
    chosen = cache_dir or os.environ.get("STYLEGENES_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "stylegenes" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "stylegenes"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "stylegenes"


def cached(source: Source, root: Path, *, workers: int, track: Track) -> PackedDataset:
    """The packed form of `source`, from the cache, or built now.

    The fingerprint (names, sizes, times) finds a known data set without reading it; the folder it points to is named
    by the content hash. Of several processes that ask at once, one builds and the others wait.

    Raises:
        UserError: when the cache cannot be written, or too many of the source's files are bad.
    """
    pointer = root / "index" / f"{hash_of([FORMAT, source.fingerprint()])[:32]}.json"
    try:
        pointer.parent.mkdir(parents=True, exist_ok=True)
        (root / "datasets").mkdir(exist_ok=True)
        with _lock(pointer.with_suffix(".lock")):
            dataset = _look_up(pointer, root) or _build(source, pointer, root, workers, track)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"the cache folder {root} cannot be written ({reason}); make room, or name another with STYLEGENES_CACHE"
        ) from error
    # The same content may have been packed from another place before.
    dataset.description = replace(dataset.description, source=source.description)
    return dataset


def _look_up(pointer: Path, root: Path) -> PackedDataset | None:
    if not pointer.exists():
        return None
    try:
        return PackedDataset.open(root / "datasets" / read_json(pointer)["folder"])
    except (UserError, KeyError, TypeError) as error:
        logger.warning("the cache is built anew: %s", error)
        return None


def _build(source: Source, pointer: Path, root: Path, workers: int, track: Track) -> PackedDataset:
    """Pack into a folder that only the holder of the lock touches, then rename it to its content hash.

    An interrupted build leaves that folder, and the next one goes on with it.
    """
    part = root / "datasets" / f".{pointer.stem}.part"
    _sweep(part.parent)
    part.mkdir(exist_ok=True)
    folder = part.with_name(pack(source, part, workers=workers, track=track).content_hash[:32])
    _move_into_place(part, folder)
    shutil.rmtree(part, ignore_errors=True)
    write_json(pointer, {"folder": folder.name, "source": source.description})
    return PackedDataset.open(folder)


def _sweep(datasets: Path) -> None:
    """Delete builds that were interrupted long ago and never gone on with."""
    for part in datasets.glob(".*.part"):
        if time.time() - part.stat().st_mtime > _FORGOTTEN:
            shutil.rmtree(part, ignore_errors=True)


def _move_into_place(part: Path, folder: Path) -> None:
    """Rename, unless the same content is there already and whole."""
    if folder.exists():
        try:
            PackedDataset.open(folder)
            return
        except DamagedError:
            shutil.rmtree(folder)
    part.rename(folder)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """A lock that the system frees when its process dies; says so when it has to wait."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        logger.warning("another process is preparing this data set; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def list_cache(root: Path) -> list[PackedDataset]:
    """All packed data sets in the cache; damaged ones are passed over."""
    found = []
    for folder in sorted((root / "datasets").glob("[!.]*")):
        try:
            found.append(PackedDataset.open(folder))
        except DamagedError as error:
            logger.warning("%s", error)
    return found


def clear_cache(root: Path) -> int:
    """Delete all packed data sets; returns the bytes freed. Processes that use one keep their open pages."""
    freed = sum(path.stat().st_size for path in (root / "datasets").rglob("*") if path.is_file())
    shutil.rmtree(root / "datasets", ignore_errors=True)
    shutil.rmtree(root / "index", ignore_errors=True)
    return freed
