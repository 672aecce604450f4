"""The size of a picture as one value: width and height, how they are written, and the grids that networks grow from.

A square picture is written as one number of pixels (`256`), any other as width x height (`384x256`). Networks double a
small start grid until the picture is full: 4x4 for squares of 8, 16, 32, ... pixels, 3x2 for 384x256.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated

from stylegenes.errors import UserError
from stylegenes.shape import Reader, brief

LARGEST = 2**14
"""Pixels that a side may have."""
_START = 4
"""A start grid is halved as long as its longer side exceeds this."""
_LARGEST_START = 16
"""Cells that a side of a start grid may have."""
_WRITTEN = re.compile(r"\s*(\d{1,9})(?:\s*[xX\u00d7]\s*(\d{1,9}))?\s*")


@dataclass(frozen=True, order=True)
class Size:
    """Width and height in pixels.

    Raises:
        UserError: for sides below 1 or above 16,384 pixels.
    """

    width: int
    height: int

    def __post_init__(self) -> None:
        if not (self.shorter >= 1 and self.longer <= LARGEST):
            raise UserError(
                f"the sides of a picture must be from 1 to {LARGEST:,} pixels; "
                f"got {brief(self.width)} x {brief(self.height)}"
            )

    @staticmethod
    def of(written: int | str | Size) -> Size:
        """What is written as a number (a square) or as `384x256`.

        Raises:
            UserError: for other text, and for sides that cannot be.
        """
        return written if isinstance(written, Size) else _read(written)

    @property
    def notation(self) -> int | str:
        """As it stands in configurations and files: a number for a square, else `384x256`."""
        return self.width if self.square else f"{self.width}x{self.height}"

    def __str__(self) -> str:
        return str(self.notation)

    @property
    def square(self) -> bool:
        """Whether both sides are equal."""
        return self.width == self.height

    @property
    def longer(self) -> int:
        """The longer side in pixels: what a layer's "resolution" is where one number has to say it."""
        return max(self.width, self.height)

    @property
    def shorter(self) -> int:
        """The shorter side in pixels."""
        return min(self.width, self.height)

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    @property
    def hw(self) -> tuple[int, int]:
        """(height, width), the order of a tensor's dimensions."""
        return self.height, self.width

    @property
    def start(self) -> Size:
        """The grid that doubling leads here from: sides halved while both are even and the longer is above 4."""
        return self.halved(self.doublings)

    @property
    def doublings(self) -> int:
        """How many times `start` is doubled."""
        count, width, height = 0, self.width, self.height
        while max(width, height) > _START and width % 2 == height % 2 == 0:
            count, width, height = count + 1, width // 2, height // 2
        return count

    @property
    def aspect(self) -> Size:
        """The sides halved while both are even: 1x1 for 32x32, 3x2 for 384x256."""
        return self.halved(min((side & -side).bit_length() - 1 for side in (self.width, self.height)))

    @property
    def shape(self) -> str:
        """The shape in words: `square`, or `of 3:2`."""
        common = math.gcd(self.width, self.height)
        return "square" if self.square else f"of {self.width // common}:{self.height // common}"

    @classmethod
    def near(cls, width: int, height: int, longer: int) -> Size | None:
        """A size that networks make, of the shape of width x height and a side of about `longer`.

        None where that shape is no ratio of whole numbers up to 16, a hundredth more or less.
        """
        ratio = Fraction(width, height).limit_denominator(_LARGEST_START)
        if ratio.numerator > _LARGEST_START or abs(float(ratio) * height / width - 1) > 0.01 or not ratio:
            return None
        grid = cls(ratio.numerator, ratio.denominator)
        times = max(1, round(math.log2(longer / grid.longer)))
        found = grid.doubled(times)
        return found if found.fits() else None

    def halved(self, times: int = 1) -> Size:
        """Both sides divided by 2^times."""
        return Size(self.width >> times, self.height >> times)

    def doubled(self, times: int = 1) -> Size:
        """Both sides times 2^times."""
        return Size(self.width << times, self.height << times)

    def steps(self, least: int = 4, most: int = LARGEST) -> list[Size]:
        """The sizes that a network goes through, from the start grid to this one.

        Args:
            least: pixels that the longer side must have.
            most: pixels that it may have.

        Raises:
            UserError: where no small grid leads here by doubling; names the nearest sizes that one leads to.
        """
        if not self.fits(least, most):
            raise UserError(
                f"pictures of {self} px do not fit: networks double a grid of at most {_LARGEST_START} cells a side "
                f"up to {least} pixels or more{f', at most {most}' if most < LARGEST else ''}; the nearest that fit "
                f"are {', '.join(str(size) for size in self.nearest(least, most))}"
            )
        return [self.halved(times) for times in reversed(range(self.doublings + 1))]

    def fits(self, least: int = 4, most: int = LARGEST) -> bool:
        """Whether a grid of at most 16 cells a side leads here by doubling at least once, or it is 4x4."""
        grown = self.doublings > 0 or self.shorter == self.longer == _START
        return grown and self.start.longer <= _LARGEST_START and least <= self.longer <= most

    def misfit(self) -> str:
        """That no network makes pictures of this size, and which are the nearest; "" where it fits."""
        if self.fits():
            return ""
        return f"no network makes pictures of {self} px; the nearest that fit are {', '.join(map(str, self.nearest()))}"

    def nearest(self, least: int = 4, most: int = LARGEST, count: int = 3) -> list[Size]:
        """Sizes nearest to this one that fit, in order of how much the sides change; squares for a square."""
        found = {
            Size(width, height)
            for unit in (2**power for power in range(1, 15))
            for width in _multiples(self.width, unit, least)
            for height in _multiples(self.height, unit, least)
            if max(width, height) <= LARGEST and (width == height or not self.square)
        }
        return sorted((size for size in found if size.fits(least, most)), key=self._change)[:count]

    def _change(self, other: Size) -> tuple[float, Size]:
        change = abs(math.log(other.width / self.width)) + abs(math.log(other.height / self.height))
        return round(change, 9), other


def square_side(written: int | str, why: str) -> int:
    """The side in pixels of pictures that must be square.

    Raises:
        UserError: for others; `why` begins the sentence that says so.
    """
    size = Size.of(written)
    if not size.square:
        raise UserError(f"{why}, so its pictures are square; got {size}: set data.resolution={size.shorter}")
    return size.width


Resolution = Annotated[int | str, Reader(lambda written: Size.of(written).notation)]
"""A size as it is written: a number of pixels for squares, else `384x256`."""


@lru_cache(maxsize=1024)
def _read(written: int | str) -> Size:
    if isinstance(written, int):
        return Size(written, written)
    match = _WRITTEN.fullmatch(written)
    if match is None:
        raise UserError(
            f"{brief(written)} is no size; give one number of pixels for square pictures, or width x height, "
            "such as 384x256"
        )
    return Size(int(match[1]), int(match[2] or match[1]))


def _multiples(side: int, unit: int, least: int) -> Sequence[int]:
    """The multiples of a unit next to a side and to the least longer side, as far as a start grid allows."""
    below, enough = side // unit, math.ceil(least / unit)
    near = {below, below + 1, below + 2, enough, enough + 1}
    return [unit * min(max(times, 1), _LARGEST_START) for times in near]
