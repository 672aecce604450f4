"""The contract of a source: a list of items, each of which becomes a picture or a reason why not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from stylegenes.data.description import LeftOut
from stylegenes.data.originals import Original
from stylegenes.size import Size


@dataclass(frozen=True)
class Picture:
    """One item, ready to be packed.

    Attributes:
        pixels: uint8 [C, H, W].
        digest: what identifies its content: sha256 of the file, or empty where the source as a whole is known by hash.
        original: what it was before it was resized.
    """

    pixels: np.ndarray
    digest: str = ""
    original: Original = field(default_factory=Original)


class Source(ABC):
    """Something images come from. It is sent to worker processes, so it must pickle.

    Attributes:
        description: where the images come from, in words.
        parameters: everything that the pixels depend on besides the items themselves.
        size: width and height of the pictures.
        channels: of the pictures.
        label_names: names of the label columns.
        label_origin: where labels come from, in words.
        classes: whether each label is a folder, which is a class only if a picture in it can be used.
        warnings: what is odd about the source, in sentences.
        left_out: items that were refused before being read.
        ignored: number of hidden and system files passed over.
        license: license of the images where it is known.
    """

    description: str
    parameters: dict[str, str | int | bool]
    size: Size
    channels: int
    label_names: list[str]
    label_origin: str = ""
    classes: bool = False
    warnings: tuple[str, ...] = ()
    left_out: list[LeftOut]
    ignored: int = 0
    license: str = ""

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """A name for each item, in a fixed order."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A quick hash that changes when any item, label or parameter changes, without reading the items."""

    @abstractmethod
    def labels(self) -> np.ndarray:
        """Labels of all items, float32 [N, L]."""

    @abstractmethod
    def load(self, index: int) -> Picture | LeftOut:
        """Item number `index` as a picture, or why it is none. Never raises for a bad item."""
