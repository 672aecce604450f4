"""The embedded avatars as a source of images."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from stylegenes.data.avatars.domain import Avatar, Domain
from stylegenes.data.avatars.domains import DOMAINS
from stylegenes.data.avatars.render import artwork_versions, render
from stylegenes.data.decode import View, to_pixels
from stylegenes.data.description import LeftOut
from stylegenes.data.hashing import hash_of
from stylegenes.data.options import StreamOptions
from stylegenes.data.source import Picture, Source
from stylegenes.errors import UserError
from stylegenes.words import did_you_mean

WORD = "avatars"


@dataclass(frozen=True)
class AvatarOptions(StreamOptions):
    """Which avatars: `avatars` or `avatars:n=4000,seed=1,style=avataaars,independent=true`.

    Attributes:
        style: which domain.
        independent: factors without correlations.

    Raises:
        UserError: for a number or style that is not allowed.
    """

    word: ClassVar[str] = WORD
    style: str = "avataaars"
    independent: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.style not in DOMAINS:
            raise UserError(f"avatars: style {self.style!r} is unknown{did_you_mean(self.style, DOMAINS, 'styles')}")


class AvatarSource(Source):
    """Avatars `0, ..., n - 1` of a stream, drawn when they are loaded."""

    def __init__(self, options: AvatarOptions, view: View) -> None:
        self.options = options
        self.description = str(options)
        self.parameters = {**asdict(options), **view.parameters, **artwork_versions()}
        self.size = view.size
        self.channels = view.channels
        self._view = view
        self.label_names = self.domain.attribute_names
        self.left_out = []
        self.license = self.domain.license

    @property
    def domain(self) -> Domain:
        """The style that is drawn."""
        return DOMAINS[self.options.style]

    @property
    def names(self) -> list[str]:
        """`000000.png` and so on."""
        return self.options.names

    def fingerprint(self) -> str:
        """Hash of options and versions, and of a few samples' labels, which notices a change of the tables."""
        probe = [self._label(index).tolist() for index in range(min(64, self.options.n))]
        return hash_of({"parameters": self.parameters, "names": self.label_names, "probe": probe})

    def labels(self) -> np.ndarray:
        """Attributes of all avatars, float32 [N, A]."""
        return np.stack([self._label(index) for index in range(self.options.n)])

    def load(self, index: int) -> Picture | LeftOut:
        """Draw avatar number `index`, a square, and bring it to the size."""
        picture = render(self.domain, self._sample(index), self.size.longer)
        return Picture(to_pixels(picture, self._view))

    def _sample(self, index: int) -> Avatar:
        return self.domain.sample(self.options.seed, index, independent=self.options.independent)

    def _label(self, index: int) -> np.ndarray:
        return self.domain.label(self._sample(index))
