"""Packing a source into shards: each is whole or not there, and an interrupted packing goes on after the last one."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from stylegenes.data.description import Description
from stylegenes.data.hashing import hash_of
from stylegenes.data.pack import summed_up
from stylegenes.data.pack_progress import PackProgress
from stylegenes.data.packed import MOST_META, PackedWriter
from stylegenes.data.parallel import ordered_map
from stylegenes.data.shards.index import FORMAT, INDEX, LABELS, Part, ShardIndex, shard_name
from stylegenes.data.source import Picture, Source
from stylegenes.errors import UserError, shown
from stylegenes.files import atomic_path, read_record, write_json
from stylegenes.progress import Track

log = logging.getLogger(__name__)

_DONE = "done"
_BEGUN = "begun.json"


@dataclass(frozen=True)
class _Stretch:
    """A shard, and the items of the source that it was made of.

    Attributes:
        shard: what was written; None where the last items of the source were all bad.
        progress: these items; `done` counts from the beginning of the source.
    """

    shard: Part | None
    progress: PackProgress


@dataclass(frozen=True)
class _Begun:
    """What a packing is of: another one does not go on with it.

    Attributes:
        fingerprint: of source, parameters and the size of shards.
    """

    fingerprint: str


def pack_shards(source: Source, folder: Path, *, shard_bytes: int, workers: int, track: Track) -> Description:
    """Write shards, labels and index into a folder that is empty, or holds what an interrupted call left.

    Args:
        source: pictures, not packed yet.
        folder: for the shards.
        shard_bytes: size of a shard, which holds one picture at least.
        workers: processes that decode pictures.
        track: shows how much is done.

    Raises:
        UserError: when there is no image, or more are bad than good: then something else is wrong.
    """
    each = max(1, shard_bytes // (source.channels * source.size.pixels))
    stretches = _earlier(source, folder, each)
    progress = PackProgress()
    for stretch in stretches:
        progress.add(stretch.progress)
    count = len(source.names)
    if progress.done:
        log.info("%s: going on after %d of %d", source.description, progress.done, count)
    items = ordered_map(source.load, count, workers, first=progress.done)
    shown = track(items, "preparing images", count - progress.done)
    while progress.done < count:
        stretch = _write_shard(source, folder, shown, each, progress.done, number=len(stretches))
        write_json(folder / _DONE / f"{len(stretches):06d}.json", asdict(stretch))
        stretches.append(stretch)
        progress.add(stretch.progress)
    packed = summed_up(source, progress, folder)
    with atomic_path(folder / LABELS) as part:
        np.save(part, packed.labels)
    shards = [stretch.shard for stretch in stretches if stretch.shard is not None]
    labels = _part(folder / LABELS, len(packed.labels))
    write_json(folder / INDEX, asdict(ShardIndex(FORMAT, packed.description, shards, labels)))
    shutil.rmtree(folder / _DONE)
    return packed.description


@contextmanager
def packing_folder(out: Path) -> Iterator[Path]:
    """The folder beside `out` that a packing goes on in; it takes the name of `out` when the block ends.

    Raises:
        UserError: when another process packs there.
    """
    folder = out.with_name(f".{out.name}.packing")
    lock = FileLock(folder.with_suffix(".lock"))
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"{out} is being written by another process; wait for it, or name another folder") from error
    try:
        yield folder
        folder.rename(out)
    finally:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def size_in_bytes(text: str) -> int:
    """A size such as 64MB, 1.5GB or 256MiB.

    Raises:
        UserError: for something else, and for less than a byte.
    """
    found = re.fullmatch(r"([0-9.]+) *([kMGT]?)(i?)B?", text.strip(), re.IGNORECASE)
    try:
        number = float(found[1]) if found else 0.0
    except ValueError:
        number = 0.0
    if found is None or number <= 0:
        raise UserError(f"{shown(text)!r} is no size; give one such as 64MB or 1GB")
    base = 1024 if found[3] else 1000
    return max(1, int(number * base ** " kmgt".index(found[2].lower() or " ")))


def _earlier(source: Source, folder: Path, each: int) -> list[_Stretch]:
    """The shards that an earlier call finished; none, with all of them deleted, where it packed something else."""
    done = folder / _DONE
    begun = _Begun(hash_of([FORMAT, each, source.fingerprint()]))
    try:
        same = read_record(done / _BEGUN, _Begun, most=MOST_META) == begun
    except UserError:
        same = False
    if not same:
        shutil.rmtree(folder, ignore_errors=True)
        done.mkdir(parents=True)
        write_json(done / _BEGUN, asdict(begun))
        return []
    stretches = []
    while (path := done / f"{len(stretches):06d}.json").exists():
        stretches.append(read_record(path, _Stretch, most=MOST_META))
    return stretches


def _write_shard(source: Source, folder: Path, items: Iterator, each: int, start: int, *, number: int) -> _Stretch:
    """The next shard, from the item after the first `start` ones on."""
    progress = PackProgress(done=start)
    path = folder / shard_name(number)
    temporary = path.with_suffix(".part")
    with PackedWriter(folder, each, source.channels, source.size, temporary.name).appending() as pictures:
        for item in items:
            if isinstance(item, Picture):
                pictures.append(item.pixels)
            progress.take(item)
            if pictures.count == each:
                break
    if not progress.kept:
        temporary.unlink()
        return _Stretch(None, progress)
    with temporary.open("r+b") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    return _Stretch(_part(path, len(progress.kept)), progress)


def _part(path: Path, count: int) -> Part:
    with path.open("rb") as file:
        return Part(path.name, count, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
