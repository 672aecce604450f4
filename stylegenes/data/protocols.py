"""What other rooms need of a data set, of which `PackedDataset` is one."""

from __future__ import annotations

from typing import Protocol

import torch

from stylegenes.data.originals import Originals


class LabelSource(Protocol):
    """What fakes are conditioned on."""

    @property
    def label_dim(self) -> int:
        """Columns of the labels, 0 for none."""
        ...

    @property
    def content_hash(self) -> str:
        """Hash of what they belong to."""
        ...

    @property
    def source(self) -> str:
        """Where they come from, as messages say it."""
        ...

    def __len__(self) -> int: ...

    def labels(self, indices: torch.Tensor) -> torch.Tensor:
        """Labels float32 [N, label_dim]."""
        ...


class LabeledImages(LabelSource, Protocol):
    """Pictures that may have labels; a packed data set has all of it."""

    @property
    def label_names(self) -> list[str]:
        """Names of the label columns."""
        ...

    @property
    def resolution(self) -> int | str:
        """Size in pixels: a number for squares, else `384x256`."""
        ...

    @property
    def channels(self) -> int:
        """Color channels."""
        ...

    @property
    def originals(self) -> Originals:
        """What the files were that the pictures were read from."""
        ...

    def images(self, indices: torch.Tensor) -> torch.Tensor:
        """Pictures uint8 [N, C, H, W]."""
        ...
