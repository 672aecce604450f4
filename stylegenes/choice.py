"""Codes that were chosen, and how they are drawn: samples, style mixing, and ways between them as sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from stylegenes.drawing import BANDS, Look, Way, band_layers, draw, draw_between, draw_mixed, express
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.records import Condition
from stylegenes.sheets import Origin, Sheet

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
        look: truncation, noise and condition.
        origin: what files say about all this.
        notes: sentences for whoever chose.
    """

    generator: Generator
    codes: torch.Tensor
    names: list[str]
    look: Look
    origin: Origin
    notes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def strings(self) -> list[str]:
        """The code string of every code."""
        return self.generator.latent.to_strings(self.codes)

    @property
    def ws(self) -> torch.Tensor:
        """Style vectors [N, num_ws, w_dim] of the codes."""
        return express(self.generator, self.codes, self.look)

    @property
    def conditions(self) -> Condition:
        """The condition of every code, [N, ...]."""
        return self.look.condition.map(lambda rows: rows.expand(len(self), -1) if len(rows) == 1 else rows)

    def samples(self, track: Track = untracked) -> Sheet:
        """A picture of each code."""
        pictures = list(track(draw(self.generator, self.codes, self.look), "drawing", len(self)))
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
        rows, columns = self.codes[:half], self.codes[half:]
        sources = list(draw(self.generator, self.codes, self.look))
        looks = self.look.part(slice(half)), self.look.part(slice(half, None))
        cells, captions = [], []
        for one in BANDS if band == "all" else (band,):
            layers = band_layers(self.generator, one)
            mixed = draw_mixed(self.generator, rows, columns, layers, *looks)
            body = list(track(mixed, f"mixing {one} styles", len(rows) * len(columns)))
            cells += [np.full_like(sources[0], 255), *sources[half:]]
            captions += [f"{one} from", *self.names[half:]]
            for row in range(len(rows)):
                cells += [sources[row], *body[row * len(columns) : (row + 1) * len(columns)]]
                captions += [self.names[row], *[""] * len(columns)]
        origin = replace(self.origin, more={**self.origin.more, "Mixing": band})
        return Sheet(cells, self.strings, origin, captions, len(columns) + 1)

    def interpolation(
        self, steps: int, ways: Sequence[Way] = ("own",), *, moving: bool = False, track: Track = untracked
    ) -> Sheet:
        """The way from each code to the next.

        Args:
            steps: pictures from one code to the next.
            ways: which ways: a row below another on a sheet, side by side in an animation.
            moving: frames of an endless animation, which returns to the first code; else rows of a sheet.
            track: shows the progress.

        Raises:
            UserError: with fewer than two codes, or no step.
        """
        if len(self) < 2:
            raise UserError("--interpolate needs at least two codes to go between")
        if steps < 1:
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

    def _between(self, start: int, end: int, times: Sequence[float], way: Way) -> Iterator[np.ndarray]:
        look = self.look.part(slice(start, start + 1))
        return draw_between(self.generator, self.codes[start : start + 1], self.codes[end : end + 1], times, look, way)

    def _caption(self, index: int, way: Way, ways: Sequence[Way]) -> str:
        return self.names[index] if len(ways) == 1 else f"{self.names[index]} ({way})"

    def _sheet(
        self, pictures: Sequence[np.ndarray], captions: Sequence[str] | None = None, columns: int | None = None
    ) -> Sheet:
        return Sheet(pictures, self.strings, self.origin, captions, columns)
