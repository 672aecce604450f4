"""Where shards lie: a folder of this machine, or behind an address with some of them kept here."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from stylegenes.data.packed import MOST_META, DamagedError
from stylegenes.data.shards.index import INDEX, Part, ShardIndex, parse_index
from stylegenes.data.shards.keeping import Ahead, Kept
from stylegenes.data.shards.remote import AbsentError, Remote
from stylegenes.errors import UserError
from stylegenes.files import read_bytes, settle_folder

_CONNECTIONS = 16
_WHOLE_FROM = 1 / 4
"""Share of a shard's pictures beyond which the shard is fetched rather than one picture after the other."""


class ShardPlace(ABC):
    """Where shards lie. It is sent to other processes, so it must pickle.

    Attributes:
        where: in words.
        folder: where files are on this machine.
        index: what there is.
        roomy: whether all shards can be on this machine at once.
        limit: bytes that may be.
    """

    where: str
    folder: Path
    index: ShardIndex
    roomy: bool = True
    limit: int = 0

    @abstractmethod
    def open(self, part: Part) -> BinaryIO:
        """A file to read, brought here if need be.

        Raises:
            UserError: when it cannot be had.
        """

    def file(self, part: Part) -> Path:
        """Where a file is that stays once it is here, as that of the labels does.

        Raises:
            UserError: when it cannot be had.
        """
        self.open(part).close()
        return self.folder / part.name

    @abstractmethod
    def verify(self, part: Part) -> None:
        """Read a file and compare its hash.

        Raises:
            DamagedError: when it is another one.
        """

    def pictures(self, wanted: Iterable[tuple[Part, Sequence[int]]]) -> list[list[bytes]]:
        """Pixels of pictures, by their numbers in each shard.

        Raises:
            UserError: when they cannot be had.
        """
        return [self._from_file(part, numbers) for part, numbers in wanted]

    def expect(self, parts: Iterable[Part]) -> None:  # noqa: B027
        """These shards are needed soon."""

    def _from_file(self, part: Part, numbers: Sequence[int]) -> list[bytes]:
        """From the file, which is read rather than mapped, as it may be cut short or leave."""
        size, first = self.index.picture_size, self.index.offset(part)
        found = []
        with self.open(part) as file:
            for number in numbers:
                file.seek(first + number * size)
                found.append(file.read(size))
        if any(len(pixels) != size for pixels in found):
            raise DamagedError(f"{self.folder / part.name} was cut short; {self._again}")
        return found

    @property
    def _again(self) -> str:
        return "copy it again, or pack the shards again"


class ShardFolder(ShardPlace):
    """A folder of this machine.

    Raises:
        DamagedError: when there is no index that can be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = settle_folder(folder)
        self.where = str(folder)
        try:
            content = read_bytes(self.folder / INDEX, most=MOST_META)
        except UserError as error:
            raise DamagedError(f"the shards of {folder} have no index that can be read: {error}") from error
        self.index = parse_index(content, self.where)

    def open(self, part: Part) -> BinaryIO:
        """Where it lies."""
        try:
            return (self.folder / part.name).open("rb", buffering=0)
        except OSError as error:
            raise DamagedError(f"{self.folder / part.name} cannot be read ({error.strerror}); {self._again}") from error

    def verify(self, part: Part) -> None:
        """Read it and compare its hash."""
        self.look_at(part)
        with (self.folder / part.name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != part.sha256:
                raise DamagedError(f"{file.name} was changed after it was packed; {self._again}")

    def look_at(self, part: Part) -> None:
        """See that a file is there, and of its size.

        Raises:
            DamagedError: when it is not.
        """
        path = self.folder / part.name
        if not path.is_file():
            raise DamagedError(f"{path} is missing; {self._again}")
        if path.stat().st_size != part.bytes:
            raise DamagedError(f"{path} has {path.stat().st_size:,} of {part.bytes:,} bytes; {self._again}")


class ShardAddress(ShardPlace):
    """A folder behind an address. A picture whose shard is not here yet comes alone, so that nothing waits for a shard.

    Raises:
        UserError: when there is no index, or it cannot be had.
    """

    def __init__(self, url: str) -> None:
        self.remote = Remote(url)
        self.where = self.remote.url
        try:
            content = self.remote.read(INDEX, MOST_META)
        except AbsentError as error:
            raise UserError(f"{error}; give the address of what `stylegenes data pack --shards` wrote") from error
        self.index = parse_index(content, self.where)
        self.kept = Kept(self.remote, hashlib.sha256(content).hexdigest()[:32])
        self.folder, self.limit = self.kept.folder, self.kept.limit
        self.roomy = self.index.nbytes <= self.limit
        self._ranges = True
        self._taken: Counter[str] = Counter()

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name not in ("_pool", "_ahead")}

    def open(self, part: Part) -> BinaryIO:
        """What is kept, or is from now on."""
        return self.kept.open(part)

    def verify(self, part: Part) -> None:
        """Read it where it lies, without keeping it."""
        try:
            self.remote.verify(part)
        except UserError as error:
            raise DamagedError(str(error)) from error

    def pictures(self, wanted: Iterable[tuple[Part, Sequence[int]]]) -> list[list[bytes]]:
        """From the shards that are here, and in ranges or with their shard from where they lie, side by side."""
        return list(self._pool.map(lambda pair: self._from_anywhere(*pair), wanted))

    def expect(self, parts: Iterable[Part]) -> None:
        """Fetch them meanwhile."""
        for part in parts:
            self._ahead.ask(part)

    def _from_anywhere(self, part: Part, numbers: Sequence[int]) -> list[bytes]:
        self._taken[part.name] += len(numbers)
        if self._ranges and self._taken[part.name] < _WHOLE_FROM * part.count and self.kept.path(part) is None:
            size, first = self.index.picture_size, self.index.offset(part)
            found = self.remote.ranges(part.name, [first + number * size for number in numbers], size)
            if found is not None:
                return found
            self._ranges = False
        self._taken[part.name] = 0
        return self._from_file(part, numbers)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_CONNECTIONS, "shards")

    @cached_property
    def _ahead(self) -> Ahead:
        return Ahead(self.kept)
