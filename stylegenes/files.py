"""Writing so that a kill at any moment leaves the old content or the new one, never half of either."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stylegenes.errors import UserError

_ORPHAN_AGE = 3600.0
"""Seconds after which a partial file that nobody touched belongs to a process that died."""


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file all or nothing: `with atomic_path("a.png") as part: image.save(part)`.

    Yields a path beside the target, with the target's suffix, that does not exist yet. When the block ends the file is
    flushed to disk and renamed over the target; when the block raises it is removed and the target stays as it was.
    The target's folder is made if it is missing.

    Raises:
        OSError: when the folder cannot be written or the disk is full; the target is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _partial(path)
    try:
        # Tried first, since libraries that write report a place that cannot be written in many ways.
        part.touch(exist_ok=False)
        part.unlink()
        yield part
        _sync(part)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _about(path, part, error) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a folder of files all or nothing; an old folder of the same name is replaced as a whole.

    Yields an empty folder beside the target. No system call swaps two folders everywhere, so the complete new folder is
    first renamed to a name that marks it as complete; `settle_folder`, which every reader calls, finishes a swap that
    was cut short.

    Raises:
        OSError: when the parent cannot be written or the disk is full; the old folder is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    settle_folder(path)
    part = _partial(path)
    try:
        part.mkdir()
        yield part
        _sync_tree(part)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise _about(path, part, error) from error
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    part.rename(_sibling(path, "next"))
    _sync_folder(path.parent)
    settle_folder(path)


def settle_folder(path: str | os.PathLike[str]) -> Path:
    """Finish what a killed `atomic_folder` left: afterwards `path` is whole, old or new. Returns `path`.

    Does nothing when no swap was under way, so that it costs a reader two look-ups.
    """
    path = Path(path)
    following, previous = _sibling(path, "next"), _sibling(path, "previous")
    if following.exists():
        if path.exists():
            shutil.rmtree(previous, ignore_errors=True)
            path.rename(previous)
        following.rename(path)
        _sync_folder(path.parent)
    if previous.exists() and path.exists():
        shutil.rmtree(previous, ignore_errors=True)
    return path


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON, all or nothing."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def read_json(path: str | os.PathLike[str]) -> Any:
    """The value in a JSON file.

    Raises:
        UserError: when the file is missing or damaged; names it.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged: not JSON ({error})") from error


def _about(path: Path, part: Path, error: OSError) -> OSError:
    """An error about the partial file as one about the file that was wanted; any other error as it is."""
    if error.filename is None or str(part) not in str(error.filename):
        return error
    return OSError(
        error.errno, f"cannot be written ({error.strerror})", str(error.filename).replace(str(part), str(path))
    )


def _sibling(path: Path, role: str) -> Path:
    return path.with_name(f".{path.name}.{role}")


def _partial(path: Path) -> Path:
    """A fresh name beside `path`; sweeps away what dead processes left under such names."""
    for orphan in path.parent.glob(f".{path.stem}.*.part{path.suffix}"):
        _remove_if_stale(orphan)
    return path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")


def _remove_if_stale(orphan: Path) -> None:
    try:
        stale = time.time() - orphan.stat().st_mtime > _ORPHAN_AGE
    except OSError:
        return
    if stale and orphan.is_dir():
        shutil.rmtree(orphan, ignore_errors=True)
    elif stale:
        orphan.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _sync(path)
        elif path.is_dir():
            _sync_folder(path)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable. Windows has no handle for folders and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
