"""What every data set says about itself, and what can be asked of it wherever its pixels lie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from stylegenes.cameras import CAMERA_NAMES
from stylegenes.data.order import Order, Shuffle
from stylegenes.data.originals import Originals
from stylegenes.errors import UserError
from stylegenes.progress import Track
from stylegenes.size import Resolution, Size

Indices = torch.Tensor | np.ndarray | Sequence[int] | range


@dataclass(frozen=True)
class LeftOut:
    """A file that is not in the data set.

    Attributes:
        name: path within the source.
        reason: what is wrong with it.
        fix: what to do about it.
    """

    name: str
    reason: str
    fix: str


@dataclass(frozen=True)
class Description:
    """What a packed data set says about itself; stored as JSON beside the pixels.

    The first six are facts about the content. The others are facts about the source that it came from, and another
    source of the same content has others.

    Attributes:
        content_hash: sha256 of names, contents and every parameter that the pixels depend on.
        resolution: in pixels: a number for squares, else `384x256`.
        channels: of the pictures; 2 and 4 are with alpha, more than 4 stand each for itself.
        label_names: one name for each label column, the cameras' last.
        parameters: how the pixels were made (fit, resize filter, alpha, ...).
        originals: what the files were that the pixels were made of.
        source: where the images came from, in words.
        label_origin: where the labels came from, in words.
        warnings: what is odd about the source, in sentences.
        left_out: files that could not be used.
        ignored: number of hidden and system files passed over.
        license: license of the images where it is known.
    """

    content_hash: str
    resolution: Resolution
    channels: int
    label_names: list[str]
    parameters: dict[str, str | int | bool]
    originals: Originals = field(default_factory=Originals)
    source: str = ""
    label_origin: str = ""
    warnings: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    ignored: int = 0
    license: str = ""

    def of_content(self) -> Description:
        """Without the facts about the source, for a place that other sources of the same content share."""
        return replace(self, source="", label_origin="", warnings=[], left_out=[], ignored=0)


class Dataset(ABC):
    """Pictures of one size, with labels and cameras where they are known.

    Attributes:
        folder: where its files are; of a distant one, where they are kept here.
        description: what it says about itself.
    """

    folder: Path
    description: Description

    @abstractmethod
    def __len__(self) -> int:
        """Number of pictures."""

    @abstractmethod
    def images(self, indices: Indices) -> torch.Tensor:
        """Pixels, uint8 [N, C, H, W]."""

    @abstractmethod
    def label_rows(self, indices: Indices) -> np.ndarray:
        """All columns, the cameras' too, float32 [N, L]."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Size on disk in bytes."""

    @abstractmethod
    def damages(self, track: Track) -> Iterator[UserError]:
        """Compare everything with its hashes; what is wrong, one after the other."""

    @abstractmethod
    def order(self, seed: int, mirror: bool, shuffle: Shuffle) -> Order:
        """In which order training sees the pictures.

        Raises:
            UserError: for a way to shuffle that these pictures do not have.
        """

    def expect(self, wanted: Callable[[], Indices]) -> None:  # noqa: B027
        """The pictures that `wanted` tells are needed soon: what is far away may be fetched meanwhile."""

    def labels(self, indices: Indices) -> torch.Tensor:
        """Labels, float32 [N, L]; L is 0 where the data set has none."""
        if not self.label_dim:
            return torch.zeros(len(indices), 0)
        return torch.from_numpy(self.label_rows(indices)[:, : self.label_dim])

    def cameras(self, indices: Indices) -> torch.Tensor | None:
        """Cameras, float32 [N, 25] (see `stylegenes.cameras`), or None where they are not known."""
        if self.label_dim == len(self.description.label_names):
            return None
        return torch.from_numpy(self.label_rows(indices)[:, self.label_dim :])

    @property
    def label_names(self) -> list[str]:
        """Names of the label columns, without the cameras'."""
        return [name for name in self.description.label_names if name not in CAMERA_NAMES]

    @property
    def label_dim(self) -> int:
        """Number of label columns, 0 without labels."""
        return len(self.label_names)

    @property
    def resolution(self) -> int | str:
        """Size in pixels: a number for squares, else `384x256`."""
        return self.description.resolution

    @property
    def size(self) -> Size:
        """Width and height of the pictures."""
        return Size.of(self.description.resolution)

    @property
    def channels(self) -> int:
        """Channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA, or those of arrays."""
        return self.description.channels

    @property
    def content_hash(self) -> str:
        """sha256 of names, contents and parameters: equal for equal pixels and labels, wherever they lie."""
        return self.description.content_hash

    @property
    def source(self) -> str:
        """Where the images came from."""
        return self.description.source

    @property
    def originals(self) -> Originals:
        """What the files were that the pixels were made of."""
        return self.description.originals

    @property
    def license(self) -> str:
        """Terms and credit of the images, or "" where they are not known."""
        return self.description.license


def as_array(indices: Indices) -> np.ndarray:
    """Whole numbers of any kind as int64 [N]."""
    return np.asarray(indices, dtype=np.int64)
