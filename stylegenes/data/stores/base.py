"""The contract of a store: named byte strings in a folder, an archive or a data base."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from stylegenes.data.decode import SUFFIXES
from stylegenes.data.description import LeftOut
from stylegenes.errors import shown

MAX_ITEM_BYTES = 512 * 2**20
"""Files larger than this are refused unread."""

DEPTH = "depth"
"""The folder beside pictures that holds an array of depth for each, as exported scenes have it."""
_SYSTEM = frozenset(
    ["__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information", "@eadir",
     "lost+found", "icon\r"]
)  # fmt: skip
_CONVERTIBLE = frozenset([".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd", ".svg", ".tga", ".dng", ".cr2", ".nef"])
_TEXT = frozenset([".csv", ".json", ".txt", ".md", ".html", ".xml", ".yaml", ".yml", ".tsv"])


@dataclass(frozen=True)
class StoredItem:
    """One item of a store.

    Attributes:
        name: its path within the store, with forward slashes.
        stamp: what changes when its content does, known without reading it (size and time, or a checksum).
    """

    name: str
    stamp: str


@dataclass
class Listing:
    """What a store holds.

    Attributes:
        entries: items that may be images, sorted by name.
        texts: names of text files, among which labels may be.
        left_out: items that are refused unread.
        ignored: number of hidden and system files passed over.
    """

    entries: list[StoredItem] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    ignored: int = 0

    def file(self, name: str, stamp: str) -> None:
        """Put a file where its name says it belongs."""
        path = PurePosixPath(name)
        if is_system_file(path):
            self.ignored += 1
        elif path.suffix.lower() in SUFFIXES or not path.suffix:
            self.entries.append(StoredItem(name, stamp))
        elif path.suffix.lower() in _TEXT:
            self.texts.append(name)
        else:
            fix = "save it as PNG or JPEG" if path.suffix.lower() in _CONVERTIBLE else "move it elsewhere"
            self.left_out.append(LeftOut(shown(name), f"{shown(path.suffix, 20)} is no image format that is read", fix))

    def sort(self) -> Listing:
        """Sort by name, so that the order does not depend on the file system; depth beside pictures is none of them."""
        pictures = {PurePosixPath(one.name).with_suffix("") for one in self.entries if not _is_depth(one.name)}
        depth = {one for one in self.entries if _is_depth(one.name) and _shown_by(one.name) in pictures}
        self.ignored += len(depth)
        self.entries = [one for one in self.entries if one not in depth]
        self.entries.sort(key=lambda entry: entry.name)
        self.texts.sort()
        self.left_out.sort(key=lambda item: item.name)
        return self


def _is_depth(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parent.name == DEPTH and path.suffix.lower() == ".npy"


def _shown_by(name: str) -> PurePosixPath:
    """What the picture of a depth is called, without its suffix."""
    path = PurePosixPath(name)
    return path.parent.parent / path.stem


class Store(ABC):
    """Where encoded images lie. It is sent to worker processes, so handles are opened where they are used."""

    path: Path
    kind: str

    @abstractmethod
    def list(self) -> Listing:
        """What is there, without reading it.

        Raises:
            UserError: when the store itself cannot be read.
        """

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The bytes of one item.

        Raises:
            BadImageError: when the item cannot be read.
        """


def is_system_file(path: PurePosixPath) -> bool:
    """Whether a file is hidden or left behind by an operating system."""
    return any((part.startswith(".") and part != "..") or part.lower() in _SYSTEM for part in path.parts)
