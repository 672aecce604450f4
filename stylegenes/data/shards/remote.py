"""A folder behind an address: read whole, in ranges, or saved to a file, with what goes wrong said in words."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from stylegenes.data.shards.index import Part
from stylegenes.errors import UserError, shown

if TYPE_CHECKING:
    from obstore.store import ObjectStore
    from typing_extensions import Buffer

T = TypeVar("T")
log = logging.getLogger(__name__)

SCHEMES = ("http", "https", "s3", "gs", "az")
STALLED = timedelta(seconds=20)
"""Without a byte for so long, a connection is given up and made anew."""
TRIES = 4
_PAUSE = 1.0
"""Seconds before the second try; each further pause is twice as long."""
_CHUNK = 4 * 2**20


class AbsentError(UserError):
    """There is no such file."""


def is_address(source: str | os.PathLike[str]) -> bool:
    """Whether a source is an address rather than a path or a word."""
    return bool(re.match(rf"({'|'.join(SCHEMES)})://", str(source), re.IGNORECASE))


class Remote:
    """A folder behind `https://`, `s3://` and the like; the library opens its connections in each process anew.

    Keys, region and endpoint of an S3-compatible store come from the environment (AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL; AWS_SKIP_SIGNATURE=true for one that asks for no keys).

    Args:
        url: of the folder.

    Raises:
        UserError: when the library is missing, or the address makes no sense to it.
    """

    def __init__(self, url: str) -> None:
        self.url = re.sub(r"(?<=[^:/])/+$", "", url)
        self._opened: tuple[int, ObjectStore] | None = None
        self._store()

    def __getstate__(self) -> dict[str, object]:
        return {"url": self.url, "_opened": None}

    def read(self, name: str, most: int) -> bytes:
        """The content of a small file.

        Raises:
            AbsentError: when there is none.
            UserError: when it cannot be had, or is larger than `most` bytes.
        """

        def get() -> bytes:
            import obstore

            found = obstore.get(self._store(), name)
            if found.meta["size"] > most:
                raise UserError(f"{self.url}/{name} has {found.meta['size']:,} bytes; such a file has at most {most:,}")
            return bytes(found.bytes())

        return self._tried(name, get)

    def ranges(self, name: str, starts: Sequence[int], length: int) -> list[bytes] | None:
        """Stretches of `length` bytes of a file, near ones in one request; None where a server gives whole files only.

        Raises:
            UserError: when they cannot be had.
        """

        def get() -> list[bytes] | None:
            import obstore

            try:
                found = obstore.get_ranges(self._store(), name, starts=starts, lengths=[length] * len(starts))
            except obstore.exceptions.NotSupportedError:
                return None
            parts = [bytes(part) for part in found]
            if any(len(part) != length for part in parts):
                raise OSError(f"{name} ends too early")
            return parts

        return self._tried(name, get)

    def save(self, part: Part, path: Path) -> None:
        """Write a file to `path` once it is known to be whole and the one that was packed.

        Raises:
            UserError: when it cannot be had, or is another one.
            OSError: when it cannot be written.
        """
        self._tried(part.name, lambda: self._to_file(part, path))

    def verify(self, part: Part) -> None:
        """Read a file without keeping it.

        Raises:
            UserError: when it cannot be had, or is another one.
        """
        self._tried(part.name, lambda: self._stream(part, lambda chunk: None))

    def _to_file(self, part: Part, path: Path) -> None:
        with path.open("r+b" if path.exists() else "wb") as file:
            self._stream(part, lambda chunk: _write(file, chunk))

    def _stream(self, part: Part, take: Callable[[Buffer], None]) -> None:
        """Read a file from end to end, in pieces, and compare it with what the index says of it."""
        import obstore

        found = obstore.get(self._store(), part.name)
        if found.meta["size"] != part.bytes:
            raise _OtherError(f"it has {found.meta['size']:,} bytes, the index says {part.bytes:,}")
        digest = hashlib.sha256()
        for chunk in found.stream(min_chunk_size=_CHUNK):
            digest.update(chunk)
            take(chunk)
        if digest.hexdigest() != part.sha256:
            raise _OtherError("its content is not the one that was packed")

    def _tried(self, name: str, get: Callable[[], T]) -> T:
        """What `get` gives, tried some times; what is wrong for good is said at once."""
        place, last = f"{self.url}/{name}", Exception()
        for attempt in range(TRIES):
            try:
                return get()
            except (UserError, _DiskError):
                raise
            except FileNotFoundError as error:
                raise AbsentError(f"there is no {place}") from error
            except Exception as error:
                _raise_if_refused(place, error)
                last = error
            if attempt < TRIES - 1:
                log.warning("%s: %s; trying again", place, _reason(last))
                time.sleep(_PAUSE * 2**attempt)
        if isinstance(last, _OtherError):
            raise UserError(
                f"{place} is damaged: {last}; it was cut short or changed after it was packed, so upload it again, "
                "with the index of the same packing"
            ) from last
        raise UserError(
            f"{place} cannot be fetched, tried {TRIES} times: {_reason(last)}; see that the server answers, then give "
            "the same command again"
        ) from last

    def _store(self) -> ObjectStore:
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = os.getpid(), _open(self.url)
        return self._opened[1]


class _OtherError(Exception):
    """The file is not the one that the index lists; perhaps it is on the next try."""


class _DiskError(OSError):
    """It cannot be written here, which no further try changes."""


def _write(file: BinaryIO, chunk: Buffer) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise _DiskError(error.errno, error.strerror, error.filename) from error


def _open(url: str) -> ObjectStore:
    try:
        from obstore.store import from_url
    except ImportError as error:
        raise UserError(f"{url}: data behind an address needs a library: pip install 'stylegenes[remote]'") from error
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    plain = url.startswith("http://") or endpoint.startswith("http://")
    try:
        return from_url(
            url,
            client_options={
                "allow_http": plain,
                "connect_timeout": min(STALLED, timedelta(seconds=10)),
                "read_timeout": STALLED,
                "timeout": timedelta(days=1),
            },
            retry_config={"max_retries": 1, "retry_timeout": 4 * STALLED},
        )
    # The library raises many kinds for addresses that it cannot read.
    except Exception as error:
        raise UserError(f"{url} is no address that can be read: {_reason(error)}") from error


def _raise_if_refused(place: str, error: Exception) -> None:
    """For what no further try changes."""
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        raise UserError(
            f"{place} may not be read ({_reason(error)}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "AWS_SKIP_SIGNATURE=true where no keys are needed"
        ) from error


def _reason(error: Exception) -> str:
    """The end of the first line of what the library says: before it come the address, times and settings."""
    line = str(error).strip().split("\n")[0] or type(error).__name__
    return shown(line.rpartition(" - ")[2], 200)
