"""Writing so that a kill at any moment leaves the old content or the new one, never half of either."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import secrets
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from stylegenes.errors import UserError
from stylegenes.partials import partial_beside
from stylegenes.shape import as_record

T = TypeVar("T")
log = logging.getLogger(__name__)

MOST_JSON = 64 * 2**20
"""Bytes that a JSON file of ours has at most, unless the reader says otherwise."""


def check_writable(path: str | os.PathLike[str]) -> None:
    """See that `path` can be written, before hours of work are spent on what goes there; leaves nothing behind.

    Raises:
        OSError: when it cannot; names `path`.
    """
    path = Path(path)
    ground = path if path.is_dir() else next((folder for folder in path.parents if folder.exists()), Path())
    part = ground / f".{secrets.token_hex(4)}.part"
    try:
        part.touch(exist_ok=False)
        part.unlink()
    except OSError as error:
        raise _unwritable(error, f"{ground}: {error.strerror}", str(path)) from error


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file all or nothing: `with atomic_path("a.png") as part: image.save(part)`.

    Yields a path beside the target, with the target's suffix, that does not exist yet. When the block ends the file is
    flushed to disk and renamed over the target; when the block raises it is removed and the target stays as it was.
    The target's folder is made if it is missing.

    Raises:
        UserError: for a path that ends in no name, as an empty one does.
        OSError: when the folder cannot be written or the disk is full; the target is untouched.
    """
    path = _with_name(path)
    with partial_beside(path) as part:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Tried first, since libraries that write report a place that cannot be written in many ways.
            part.touch(exist_ok=False)
            part.unlink()
            yield part
            _sync(part)
            part.replace(path)
        except BaseException as error:
            _remove(part)
            if isinstance(error, OSError):
                raise _about(path, part, error) from error
            raise
    _sync_folder(path.parent)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a folder of files all or nothing; an old folder of the same name is replaced as a whole.

    A link to a folder stays one, and the folder that it leads to is replaced.

    Yields an empty folder beside the target. No system call swaps two folders everywhere, so the complete new folder is
    first renamed to a name that marks it as complete; `settle_folder`, which every reader calls, finishes a swap that
    was cut short.

    Raises:
        UserError: for a path that ends in no name, as an empty one does, and for the root of a file system.
        OSError: when the parent cannot be written or the disk is full; the old folder is untouched.
    """
    path = _followed(_with_name(path))
    if path.is_mount():
        raise UserError(f"{path} is where a disk is mounted, which cannot be replaced; give a folder inside of it")
    settle_folder(path)
    with partial_beside(path) as part:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.mkdir()
            yield part
            _sync_tree(part)
        except BaseException as error:
            shutil.rmtree(part, ignore_errors=True)
            if isinstance(error, OSError):
                raise _about(path, part, error) from error
            raise
        part.rename(_sibling(path, "next"))
    _sync_folder(path.parent)
    settle_folder(path)


def settle_folder(path: str | os.PathLike[str]) -> Path:
    """Finish what a killed `atomic_folder` left: afterwards `path` is whole, old or new. Returns `path`.

    Does nothing when no swap was under way, so that it costs a reader two look-ups. Of a reader and a writer who settle
    at the same moment, one finds the work done.
    """
    path = Path(path)
    if not path.name:
        # The current folder, or a root: nothing is ever swapped into their place.
        return path
    place = _followed(path)
    following, previous = _sibling(place, "next"), _sibling(place, "previous")
    with contextlib.suppress(FileNotFoundError):
        if following.exists():
            if place.exists():
                shutil.rmtree(previous, ignore_errors=True)
                place.rename(previous)
            following.rename(place)
            _sync_folder(place.parent)
        if previous.exists() and place.exists():
            shutil.rmtree(previous, ignore_errors=True)
    return path


def _followed(path: Path) -> Path:
    """Where a link leads; any other path as it is."""
    return path.resolve() if path.is_symlink() else path


def replaceable_folder(path: str | os.PathLike[str], names: Collection[str], what: str) -> Path:
    """Returns `path` when `atomic_folder` may write there: nothing is there, or no other files than these.

    Commands that write a folder where the user says ask this first, since whatever else is in it would be lost.

    Args:
        path: a folder.
        names: of the files that it may hold, `a.json` or `folder/a.json`.
        what: what will be written.

    Raises:
        UserError: names what is in the way.
    """
    place = settle_folder(Path(path).expanduser())
    if place.exists() and not place.is_dir():
        raise UserError(f"{place} is a file; a {what} is a folder, give another name")
    files = (file for file in place.rglob("*") if file.is_symlink() or not file.is_dir())
    foreign = sorted(name for file in files if (name := file.relative_to(place).as_posix()) not in names)
    if foreign:
        raise UserError(f"{place} holds {foreign[0]!r}, which a new {what} would replace; give another folder")
    return place


def settle_all(folder: Path) -> None:
    """`settle_folder` for everything in `folder` that a kill cut short."""
    for following in folder.glob(".*.next"):
        settle_folder(folder / following.name.removeprefix(".").removesuffix(".next"))


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON, all or nothing."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def read_bytes(path: str | os.PathLike[str], *, most: int, size: int = -1) -> bytes:
    """The content of a file that must be one: nothing waits for a pipe or reads a device without end.

    Args:
        path: the file.
        most: bytes that it may have.
        size: bytes that are read; -1 for all.

    Raises:
        UserError: when it is missing, cannot be read, is no regular file or is larger; names it.
    """
    path = Path(path)
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UserError(f"{path} is {_kind(status.st_mode)}, not a file")
            if status.st_size > most:
                raise UserError(f"{path} has {status.st_size:,} bytes; such a file has at most {most:,}")
            return file.read(size)
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}") from error
    except OSError as error:
        what = "a folder, not a file" if path.is_dir() else f"not readable ({error.strerror})"
        raise UserError(f"{path} is {what}") from error


def check_regular(path: str | os.PathLike[str]) -> None:
    """Refuse what a library would wait for, or read without end.

    Raises:
        UserError: when `path` is missing or no regular file; names it.
    """
    read_bytes(path, most=2**63, size=0)


def file_hash(path: str | os.PathLike[str]) -> str:
    """The sha256 of a file, as 64 hexadecimal digits.

    Raises:
        UserError: when it is missing, or a pipe or device.
    """
    check_regular(path)
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: str | os.PathLike[str], *, most: int = MOST_JSON) -> Any:
    """The value in a JSON file. Nothing is said about its shape; where it should be a record, use `read_record`.

    Raises:
        UserError: when the file is missing or damaged; names it.
    """
    return parse_json(read_bytes(path, most=most), str(path))


def read_record(path: str | os.PathLike[str], kind: type[T], *, most: int = MOST_JSON) -> T:
    """The dataclass in a JSON file: every key known, none missing, every value of its type.

    Raises:
        UserError: when the file is missing, damaged, or holds something else; names file and key.
    """
    value = read_json(path, most=most)
    try:
        return as_record(kind, value, Path(path).name)
    except UserError as error:
        raise UserError(f"{path} is damaged: {error}") from error


def read_object(path: str | os.PathLike[str], *, most: int = MOST_JSON) -> dict[str, Any]:
    """The dictionary in a JSON file.

    Raises:
        UserError: when the file is missing, damaged, or holds something else; names it.
    """
    value = read_json(path, most=most)
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged: it holds no group of named values")
    return value


def parse_json(text: bytes | str, where: str) -> Any:
    """The value in JSON text.

    Raises:
        UserError: when it is no JSON, no UTF-8, or nested too deeply; `where` says what it is.
    """
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except RecursionError as error:
        raise UserError(f"{where} is damaged: nested too deeply") from error
    except ValueError as error:
        raise UserError(f"{where} is damaged: not JSON ({error})") from error


def append_json_line(path: str | os.PathLike[str], value: Any) -> None:
    """Add a line of JSON. Half a last line, which a power cut leaves, is taken away first.

    Raises:
        UserError: when there is something else than a file.
        OSError: when it cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        check_regular(path)
    with path.open("a+b") as file:
        file.seek(0)
        before = file.read()
        whole, newline, rest = before.rpartition(b"\n")
        if rest:
            if _is_json(rest):
                file.write(b"\n")
            else:
                file.truncate(len(whole) + len(newline))
        file.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def decoded(content: bytes) -> str:
    """Text in UTF-8, or in UTF-16 with its mark, as editors on Windows write it.

    Raises:
        UnicodeDecodeError: for another encoding.
    """
    return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")


def read_json_lines(path: str | os.PathLike[str], *, most: int = 16 * MOST_JSON) -> list[Any]:
    """The values in a file of JSON lines. A line that a power cut left half written is passed over with a warning.

    Raises:
        UserError: when the file is missing or cannot be read.
    """
    values = []
    for number, line in enumerate(read_bytes(path, most=most).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            values.append(parse_json(line, f"line {number} of {path}"))
        except UserError as error:
            log.warning("%s; the line is passed over", error)
    return values


def _with_name(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if not path.name:
        raise UserError(f"{str(path)!r} is the name of no file; say what to write, such as {path / 'name'}")
    return path


def _about(path: Path, part: Path, error: OSError) -> OSError:
    """An error on the way to writing `path`, about that file and not about the partial one; any other as it is."""
    named = str(error.filename)
    if str(part) in named:
        return _unwritable(error, error.strerror, named.replace(str(part), str(path)))
    if named in map(str, path.parents):
        return _unwritable(error, f"{named}: {error.strerror}", str(path))
    return error


def _unwritable(error: OSError, why: str | None, path: str) -> OSError:
    return OSError(error.errno, f"cannot be written ({why}); choose another place", path)


def _sibling(path: Path, role: str) -> Path:
    return path.with_name(f".{path.name}.{role}")


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _remove(part: Path) -> None:
    """Where the folder itself could not be made there is nothing to remove."""
    with suppress(OSError):
        part.unlink(missing_ok=True)


def _kind(mode: int) -> str:
    tests = {stat.S_ISFIFO: "a named pipe", stat.S_ISSOCK: "a socket", stat.S_ISDIR: "a folder"}
    return next((words for test, words in tests.items() if test(mode)), "a device")


def _is_json(text: bytes) -> bool:
    try:
        parse_json(text, "")
    except UserError:
        return False
    return True


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
