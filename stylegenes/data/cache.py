"""The cache of packed data sets: found by content hash, built once, shared by all processes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from stylegenes.caches import cache_folder, own_places, written_cache
from stylegenes.data.description import Description, LeftOut
from stylegenes.data.hashing import hash_of
from stylegenes.data.pack import pack
from stylegenes.data.packed import FORMAT, MOST_META, DamagedError, PackedDataset
from stylegenes.data.source import Source
from stylegenes.errors import UserError
from stylegenes.files import read_record, write_json
from stylegenes.partials import now_in
from stylegenes.progress import Track

logger = logging.getLogger(__name__)

_POINTER = 2
"""Version of what a pointer holds."""
_FORGOTTEN = 7 * 24 * 3600.0
"""Seconds after which an interrupted build is not gone on with."""


@dataclass(frozen=True)
class _Pointer:
    """What is known of a source once it has been decoded.

    Attributes:
        folder: where its pixels are, under the content hash.
        source: where it lies, in words.
        bad: files that turned out to be no pictures.
        warnings: what else turned out.
    """

    folder: str
    source: str
    bad: list[LeftOut]
    warnings: list[str]


def cached(source: Source, root: Path, *, workers: int, track: Track) -> PackedDataset:
    """The packed form of `source`, from the cache, or built now.

    The fingerprint (names, sizes, times) finds a known data set without reading it; the folder it points to is named
    by the content hash. Of several processes that ask at once, one builds and the others wait.

    Args:
        source: pictures, not packed yet.
        root: folder of the cache.
        workers: processes that decode pictures.
        track: shows how much of the packing is done.

    Raises:
        UserError: when the cache cannot be written, or too many of the source's files are bad.
    """
    pointer = cache_folder("index", root) / f"{hash_of([FORMAT, _POINTER, source.fingerprint()])[:32]}.json"
    with written_cache(root):
        for folder in (pointer.parent, cache_folder("datasets", root)):
            folder.mkdir(parents=True, exist_ok=True)
        with _lock(pointer.with_suffix(".lock")):
            return _look_up(source, pointer, root) or _build(source, pointer, root, workers, track)


def _look_up(source: Source, pointer: Path, root: Path) -> PackedDataset | None:
    if not pointer.exists():
        return None
    try:
        found = read_record(pointer, _Pointer, most=MOST_META)
        dataset = PackedDataset.open(cache_folder("datasets", root) / found.folder)
    except UserError as error:
        logger.warning("the cache is built anew: %s", error)
        return None
    dataset.description = _of_source(dataset.description, source, found)
    return dataset


def _of_source(content: Description, source: Source, found: _Pointer) -> Description:
    """What the content, which other sources share, says of itself, with the facts about this source of it."""
    return replace(
        content,
        source=source.description,
        label_origin=source.label_origin,
        warnings=[*source.warnings, *found.warnings],
        left_out=[*source.left_out, *found.bad],
        ignored=source.ignored,
        license=source.license,
    )


def _build(source: Source, pointer: Path, root: Path, workers: int, track: Track) -> PackedDataset:
    """Pack into a folder that only the holder of the lock touches, then rename it to its content hash.

    An interrupted build leaves that folder, and the next one goes on with it.
    """
    part = cache_folder("datasets", root) / f".{pointer.stem}.part"
    _sweep(part.parent)
    part.mkdir(exist_ok=True)
    whole = pack(source, part, workers=workers, track=track)
    PackedDataset.describe(part, whole.of_content())
    folder = part.with_name(whole.content_hash[:32])
    _move_into_place(part, folder)
    shutil.rmtree(part, ignore_errors=True)
    bad, warnings = whole.left_out[len(source.left_out) :], whole.warnings[len(source.warnings) :]
    write_json(pointer, asdict(_Pointer(folder.name, source.description, bad, warnings)))
    dataset = PackedDataset.open(folder)
    dataset.description = whole
    return dataset


def _sweep(datasets: Path) -> None:
    """Delete builds that were interrupted long ago and never gone on with."""
    for part in own_places(datasets):
        if part.suffix == ".part" and now_in(datasets) - part.stat().st_mtime > _FORGOTTEN:
            shutil.rmtree(part, ignore_errors=True)


def _move_into_place(part: Path, folder: Path) -> None:
    """Rename, unless the same content is there already and whole."""
    if folder.exists():
        try:
            old, new = PackedDataset.open(folder), PackedDataset.open(part)
        except DamagedError:
            shutil.rmtree(folder)
        else:
            if old.description != new.description:
                # Of an earlier version, which knew less of its content, or told whence it came.
                PackedDataset.describe(folder, new.description)
            return
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
    """All packed data sets in the cache, each with the places it was found in; damaged ones are passed over."""
    sources = _sources(root)
    found = []
    for folder in sorted(cache_folder("datasets", root).glob("[!.]*")):
        try:
            dataset = PackedDataset.open(folder)
        except DamagedError as error:
            logger.warning("%s", error)
            continue
        known = ", ".join(sources.get(folder.name, []))
        dataset.description = replace(dataset.description, source=known or dataset.source)
        found.append(dataset)
    return found


def _sources(root: Path) -> dict[str, list[str]]:
    """By packed folder: where its content was found, each place once."""
    sources: dict[str, list[str]] = {}
    for pointer in sorted(cache_folder("index", root).glob("*.json")):
        try:
            found = read_record(pointer, _Pointer, most=MOST_META)
        except UserError:
            continue
        places = sources.setdefault(found.folder, [])
        if found.source not in places:
            places.append(found.source)
    return sources


def clear_cache(root: Path) -> int:
    """Delete all packed data sets and shards; returns the bytes freed. Processes that use one keep their open pages.

    What else lies in folders of these names stays: the cache may be a disk that other things are kept on.
    """
    freed = 0
    for folder in (cache_folder("datasets", root), cache_folder("index", root), cache_folder("shards", root)):
        for place in own_places(folder):
            freed += bytes_in(place)
            shutil.rmtree(place, ignore_errors=True) if place.is_dir() else place.unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()
    return freed


def bytes_in(folder: Path) -> int:
    """Size of a file, or of all files in a folder and below; files that leave meanwhile count as nothing."""
    total = 0
    for path in [folder, *folder.rglob("*")]:
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total
