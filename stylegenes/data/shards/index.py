"""What a folder of shards holds, in one small file: how many pictures each has, its size and its hash.

Shards are NumPy files of pixels, uint8 [n, C, H, W]; nothing is needed to read them but the index that says where a
picture is. Labels and cameras are one file more, float32 [N, L].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stylegenes.data.description import Description
from stylegenes.data.packed import DamagedError
from stylegenes.errors import UserError, shown
from stylegenes.files import parse_json
from stylegenes.shape import as_record
from stylegenes.size import Size

FORMAT = "stylegenes-shards-1"
INDEX, LABELS, SHARD = "index.json", "labels.npy", "shard-"
_MOST_HEADER = 4096


@dataclass(frozen=True)
class Part:
    """One file of the folder.

    Attributes:
        name: its name in the folder.
        count: pictures in it.
        bytes: its size.
        sha256: of its content.
    """

    name: str
    count: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ShardIndex:
    """The file beside the shards.

    Attributes:
        format: version of the folder's layout.
        description: what the data set says about itself.
        shards: in the order of the pictures.
        labels: the file of labels and cameras.
    """

    format: str
    description: Description
    shards: list[Part]
    labels: Part

    @cached_property
    def ends(self) -> np.ndarray:
        """Pictures up to and with each shard, int64 [shards]."""
        return np.cumsum([shard.count for shard in self.shards], dtype=np.int64)

    @property
    def count(self) -> int:
        """Pictures in all."""
        return int(self.ends[-1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a picture, [C, H, W]."""
        return (self.description.channels, *Size.of(self.description.resolution).hw)

    @property
    def picture_size(self) -> int:
        """Bytes of a picture."""
        return int(np.prod(self.shape))

    @property
    def nbytes(self) -> int:
        """Bytes of all shards and of the labels."""
        return sum(shard.bytes for shard in self.shards) + self.labels.bytes

    def offset(self, shard: Part) -> int:
        """Bytes before the first picture of a shard."""
        return shard.bytes - shard.count * self.picture_size


def parse_index(content: bytes, where: str) -> ShardIndex:
    """Read the index and see that it agrees with itself.

    Raises:
        DamagedError: when it does not.
    """
    try:
        value = parse_json(content, INDEX)
        found = value.get("format") if isinstance(value, dict) else None
        if found != FORMAT:
            raise UserError(f"it has format {shown(found)!r}; this version reads {FORMAT!r}")
        index = as_record(ShardIndex, value, INDEX)
        _check(index)
    except UserError as error:
        raise DamagedError(f"the shards of {where} are damaged ({shown(error, 200)}); pack them again") from error
    return index


def shard_name(number: int) -> str:
    """The name of a shard."""
    return f"{SHARD}{number:06d}.npy"


def _check(index: ShardIndex) -> None:
    if not index.shards:
        raise UserError("it lists no shard")
    for number, shard in enumerate(index.shards):
        if shard.name != shard_name(number):
            raise UserError(f"shard {number} is called {shown(shard.name)}, not {shard_name(number)}")
        if shard.count < 1 or not 0 < index.offset(shard) <= _MOST_HEADER:
            raise UserError(f"{shard.name} cannot hold {shard.count} pictures in {shard.bytes} bytes")
    columns = len(index.description.label_names)
    header = index.labels.bytes - 4 * index.count * columns
    if index.labels.name != LABELS or index.labels.count != index.count or not 0 < header <= _MOST_HEADER:
        raise UserError(f"{LABELS} cannot hold {columns} columns of {index.count} rows")
