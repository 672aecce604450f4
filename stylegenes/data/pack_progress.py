"""How far a build of a packed data set is: a small file beside the pixels, from which an interrupted build goes on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from stylegenes.data.description import LeftOut
from stylegenes.data.originals import Originals
from stylegenes.data.packed import MOST_META
from stylegenes.data.source import Picture
from stylegenes.errors import UserError
from stylegenes.files import read_record, write_json

FILE = "progress.json"


@dataclass
class PackProgress:
    """Which items of a source have been dealt with, in order.

    Attributes:
        done: items so far.
        kept: numbers of those that became pictures; their pixels lie in this order.
        digests: what identifies the content of each picture.
        originals: what they were.
        bad: the others.
    """

    done: int = 0
    kept: list[int] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    originals: Originals = field(default_factory=Originals)
    bad: list[LeftOut] = field(default_factory=list)

    @classmethod
    def load(cls, folder: Path) -> PackProgress:
        """The progress that an earlier build left; none where the file is missing or damaged."""
        try:
            return read_record(folder / FILE, cls, most=MOST_META)
        except UserError:
            return cls()

    def save(self, folder: Path) -> None:
        """Write it, all or nothing; the pixels must be on the disk already."""
        write_json(folder / FILE, asdict(self))

    def take(self, item: Picture | LeftOut) -> None:
        """Count the next item of the source."""
        if isinstance(item, Picture):
            self.kept.append(self.done)
            self.digests.append(item.digest)
            self.originals.take(item.original)
        else:
            self.bad.append(item)
        self.done += 1

    def add(self, later: PackProgress) -> None:
        """Go on with what was dealt with after this; its numbers count from the beginning of the source."""
        self.done = later.done
        self.kept += later.kept
        self.digests += later.digests
        self.originals.add(later.originals)
        self.bad += later.bad
