"""Codes that were chosen, and how they are drawn: samples, style mixing, and ways between them as sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

import numpy as np
import torch

from stylegenes.drawing import (
    BANDS,
    DrawSettings,
    Way,
    as_whole,
    band_layers,
    draw,
    draw_between,
    draw_mixed,
    draw_ws,
    express,
)
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.records import Condition
from stylegenes.sheets import Origin, Sheet
from stylegenes.styles import MOST_STEPS, between, draw_texts, read_styles, settled
from stylegenes.words import check_names

Track = Callable[[Iterable[Any], str, int], Iterator[Any]]
"""Passes items through and may show how many of them are done: `track(items, what, total)`."""


def untracked(items: Iterable[Any], what: str, total: int) -> Iterator[Any]:
    """Pass items through and show nothing."""
    return iter(items)


@dataclass(frozen=True)
class Choice:
    """Codes and how to draw them.

    Attributes:
        generator: the model.
        codes: [N, ...].
        names: what each is called: `seed 3`, or the beginning of its string.
        drawing: truncation, noise and condition.
        origin: what files say about all this.
        notes: sentences for whoever chose.
        texts: code strings that are more than the latent's own, see `styles`; `codes` are none of them then.
        foreign: the one of the notes that says that other weights drew these codes; "" where the same did.
    """

    generator: Generator
    codes: torch.Tensor
    names: list[str]
    drawing: DrawSettings
    origin: Origin
    notes: Sequence[str] = ()
    texts: Sequence[str] = ()
    foreign: str = ""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def strings(self) -> list[str]:
        """The code string of every code."""
        return list(self.texts) or self.generator.latent.to_strings(self.codes)

    @property
    def plain(self) -> torch.Tensor:
        """The codes, for what cannot do with style vectors.

        Raises:
            UserError: when there are style vectors among them.
        """
        if self.texts:
            raise UserError("this needs the latent's own codes; style vectors, and mixtures of codes, are none")
        return self.codes

    @property
    def ws(self) -> torch.Tensor:
        """Style vectors [N, num_ws, w_dim] of the codes."""
        if self.texts:
            return torch.cat([read_styles(self.generator, [t], self._at(i)) for i, t in enumerate(self.texts)])
        return express(self.generator, self.codes, self.drawing)

    @property
    def conditions(self) -> Condition:
        """The condition of every code, [N, ...]."""
        return self.drawing.condition.map(lambda rows: rows.expand(len(self), -1) if len(rows) == 1 else rows)

    def samples(self, track: Track = untracked) -> Sheet:
        """A picture of each code."""
        pictures = list(track(self._drawn(), "drawing", len(self)))
        return self._sheet(pictures, self.names)

    def mixing(self, band: str = "all", track: Track = untracked) -> Sheet:
        """Style mixing: a first row and column of sources, and where they cross, the row's picture with one band
        exchanged for the column's.

        Args:
            band: `coarse`, `middle`, `fine`, or `all` for the three below one another.
            track: shows the progress.

        Raises:
            UserError: with fewer than two codes, or for a network that has no such layers.
        """
        if len(self) < 2:
            raise UserError("--mix needs at least two codes: rows come from the first half, columns from the second")
        half = (len(self) + 1) // 2
        rows, columns = len(self.names[:half]), len(self.names[half:])
        sources = list(self._drawn())
        cells, captions = [], []
        for one in BANDS if band == "all" else (band,):
            layers = band_layers(self.generator, one)
            body = list(track(self._mixed(half, layers), f"mixing {one} styles", rows * columns))
            cells += [np.full_like(sources[0], 255), *sources[half:]]
            captions += [f"{one} from", *self.names[half:]]
            for row in range(rows):
                cells += [sources[row], *body[row * columns : (row + 1) * columns]]
                captions += [self.names[row], *[""] * columns]
        origin = replace(self.origin, more={**self.origin.more, "Mixing": band})
        return Sheet(cells, self.strings, origin, captions, columns + 1, notes=self.notes)

    def interpolation(
        self, steps: int, ways: Way | Sequence[Way] = ("own",), *, moving: bool = False, track: Track = untracked
    ) -> Sheet:
        """The way from each code to the next.

        Args:
            steps: pictures from one code to the next.
            ways: which ways: a row below another on a sheet, side by side in an animation.
            moving: frames of an endless animation, which returns to the first code; else rows of a sheet.
            track: shows the progress.

        Raises:
            UserError: with fewer than two codes, no step, or for an unknown way.
        """
        ways = cast(tuple[Way, ...], check_names("way", ways, get_args(Way)))
        if len(self) < 2:
            raise UserError("--interpolate needs at least two codes to go between")
        if as_whole(steps, "--interpolate") < 1:
            raise UserError(f"--interpolate is {steps}; at least 1 step from code to code is needed")
        pairs = [(i, (i + 1) % len(self)) for i in range(len(self) - (not moving))]
        times = [i / steps for i in range(steps + (not moving))]
        rows = [
            [list(self._between(start, end, times, way)) for way in ways]
            for start, end in track(pairs, "interpolating", len(pairs))
        ]
        if len(ways) > 1 and all(np.array_equal(row[0], strip) for row in rows for strip in row):
            # This latent's ways are all the same.
            ways, rows = ways[-1:], [row[-1:] for row in rows]
        named = {} if tuple(ways) == ("own",) else {"Ways": ", ".join(ways)}
        drawn = replace(self, origin=replace(self.origin, more={**self.origin.more, **named}))
        if moving:
            return drawn._sheet([np.concatenate(beside, axis=1) for row in rows for beside in zip(*row, strict=True)])
        captions = [
            name
            for start, end in pairs
            for way in ways
            for name in (self._caption(start, way, ways), *[""] * (steps - 1), self.names[end])
        ]
        return drawn._sheet([one for row in rows for strip in row for one in strip], captions, len(times))

    def _at(self, index: int) -> DrawSettings:
        return self.drawing.part(slice(index, index + 1))

    def _drawn(self) -> Iterator[np.ndarray]:
        if self.texts:
            return draw_texts(self.generator, self.texts, self.drawing)
        return draw(self.generator, self.codes, self.drawing)

    def _mixed(self, half: int, layers: torch.Tensor) -> Iterator[np.ndarray]:
        """Row by row, the first `half` with `layers` of each of the others."""
        if self.texts:
            ws = self.ws
            for row, own in enumerate(ws[:half].split(1)):
                crossed = torch.where(layers[None, :, None], ws[half:], own)
                names = [self.texts[row]] * len(crossed)
                yield from draw_ws(self.generator, crossed, self._at(row), names)
            return
        drawings = self.drawing.part(slice(half)), self.drawing.part(slice(half, None))
        yield from draw_mixed(self.generator, self.codes[:half], self.codes[half:], layers, *drawings)

    def _between(self, start: int, end: int, times: Sequence[float], way: Way) -> Iterator[np.ndarray]:
        drawing = self.drawing.between(start, end, times)
        if self.texts:
            base = settled(self.generator, self.texts[start], self._at(start), MOST_STEPS - 1)
            other = settled(self.generator, self.texts[end], self._at(end))
            return draw_texts(self.generator, [between(base, other, t) for t in times], drawing)
        return draw_between(
            self.generator, self.codes[start : start + 1], self.codes[end : end + 1], times, drawing, way
        )

    def _caption(self, index: int, way: Way, ways: Sequence[Way]) -> str:
        return self.names[index] if len(ways) == 1 else f"{self.names[index]} ({way})"

    def _sheet(
        self, pictures: Sequence[np.ndarray], captions: Sequence[str] | None = None, columns: int | None = None
    ) -> Sheet:
        return Sheet(pictures, self.strings, self.origin, captions, columns, notes=self.notes)
