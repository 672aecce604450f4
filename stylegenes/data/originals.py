"""What the files were before they became pixels of one size: their formats, and whether they are resized or cut."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache

from PIL import Image

from stylegenes.data.decode import View
from stylegenes.size import Size

DRAWN = "drawn"
"""The format of pictures that come from no file."""

_QUALITY = " q"
_NEARLY = 0.9
"""Share of the pictures whose shape is that of the data."""
_UNLIKE = 0.1
"""Share of the files in which two sides may differ in format without a word."""
_QUALITY_APART = 5
"""Steps of JPEG quality that two sides may lie apart without a word."""


@dataclass(frozen=True)
class Original:
    """One picture before it was resized.

    Attributes:
        format: PNG, JPEG q90 (with its quality), ...
        square: whether it has the shape that is asked for.
        kept: the size, like `48x32`, that would keep its shape, where it has another; "" where networks make none.
        scale: factor by which it is resized, over 1 where it is enlarged.
        animated: whether only its first frame is taken.
    """

    format: str = DRAWN
    square: bool = True
    kept: str = ""
    scale: float = 1.0
    animated: bool = False


@dataclass
class Originals:
    """Counts over the pictures of a data set.

    Attributes:
        formats: pictures by format.
        not_square: pictures that are cropped or framed.
        enlarged: pictures smaller than the size they are resized to.
        reduced: pictures larger than that.
        animated: pictures of several frames, of which the first is taken.
        kept: of those that are cropped or framed, how many would keep their shape at which size.
        fit: how those that are not square became so, `crop` or `letterbox`; "" where it is not known.
    """

    formats: dict[str, int] = field(default_factory=dict)
    not_square: int = 0
    enlarged: int = 0
    reduced: int = 0
    animated: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    fit: str = ""

    def take(self, original: Original) -> None:
        """Count one more."""
        _count(self.formats, {original.format: 1})
        _count(self.kept, {original.kept: 1} if original.kept else {})
        self.not_square += not original.square
        self.enlarged += original.scale > 1
        self.reduced += original.scale < 1
        self.animated += original.animated

    def add(self, other: Originals) -> None:
        """Count what another one counted, too."""
        _count(self.formats, other.formats)
        _count(self.kept, other.kept)
        self.not_square += other.not_square
        self.enlarged += other.enlarged
        self.reduced += other.reduced
        self.animated += other.animated

    def advice(self) -> str:
        """That nearly all pictures share one shape which is not kept, and the size that keeps it; else ""."""
        size = max(self.kept, key=self.kept.__getitem__, default="")
        if not size or self.kept[size] < _NEARLY * sum(self.formats.values()):
            return ""
        shape = Size.of(size).shape.removeprefix("of ")
        return f"nearly all pictures are {shape}; a resolution of {size} keeps them whole"

    def words(self) -> str:
        """Formats and how many of each, such as `JPEG of quality 75 to 95 (200), PNG (50)`; "" where none is known."""
        found = sorted(self._families().items(), key=lambda item: -sum(item[1].values()))
        return ", ".join(f"{family}{_range(counts)} ({sum(counts.values()):,})" for family, counts in found)

    def unlike(self, other: Originals) -> str:
        """How the files of two sides differ in ways that a metric sees, or ""."""
        mine, theirs = self._families(), other._families()
        if not mine or not theirs or DRAWN in mine or DRAWN in theirs:
            return ""
        shares = [{family: sum(c.values()) / sum(side.formats.values()) for family, c in families.items()}
                  for side, families in ((self, mine), (other, theirs))]  # fmt: skip
        apart = sum(abs(shares[0].get(name, 0) - shares[1].get(name, 0)) for name in mine.keys() | theirs.keys()) / 2
        qualities = [_median(families.get("JPEG", {})) for families in (mine, theirs)]
        if apart > _UNLIKE or (all(qualities) and abs(qualities[0] - qualities[1]) > _QUALITY_APART):
            return f"{self.words()} against {other.words()}"
        return ""

    def _families(self) -> dict[str, dict[int, int]]:
        """By format without its quality: pictures by quality, 0 where none is known."""
        families: dict[str, dict[int, int]] = {}
        for name, count in self.formats.items():
            family, _, quality = name.partition(_QUALITY)
            families.setdefault(family, {})[int(quality or 0)] = count
        return families


def _count(counts: dict[str, int], more: dict[str, int]) -> None:
    for name, number in more.items():
        counts[name] = counts.get(name, 0) + number


def original_of(header: Image.Image, size: tuple[int, int], view: View) -> Original:
    """What an opened picture is.

    Args:
        header: as `open_picture` gives it.
        size: its width and height in pixels, upright.
        view: what it is brought to.
    """
    quality = jpeg_quality(header)
    name = f"{_name(header)}{_QUALITY}{quality}" if quality else _name(header)
    square = view.keeps_shape(*size)
    return Original(
        name, square, "" if square else shape_kept(size, view), view.scale(*size), first_of_several(header, view)
    )


def shape_kept(size: tuple[int, int], view: View) -> str:
    """The size near that of `view` that keeps the shape of a picture of width and height `size`, or ""."""
    kept = Size.near(*size, view.size.longer)
    return str(kept) if kept and kept.shape != view.size.shape else ""


def first_of_several(header: Image.Image, view: View) -> bool:
    """Whether only the first of several frames or pages is taken; a phone's depth map or preview is none.

    Five channels and more are those of all pages.
    """
    if view.channels > 4:
        return False
    try:
        return header.format != "MPO" and bool(getattr(header, "is_animated", False))
    # A damaged second frame raises nearly anything, and the first one may be whole.
    except Exception:
        return False


def jpeg_quality(header: Image.Image) -> int:
    """The quality, 1 to 100, whose quantization lies nearest to a JPEG's; 0 for other formats."""
    tables = getattr(header, "quantization", None)
    if not tables or 0 not in tables:
        return 0
    weight = sum(tables[0])
    return min(range(1, 101), key=lambda quality: abs(_weights()[quality - 1] - weight))


@cache
def _weights() -> list[int]:
    """The sum of the brightness table of every quality, read from pictures saved with it."""
    weights = []
    for quality in range(1, 101):
        buffer = io.BytesIO()
        Image.new("L", (8, 8)).save(buffer, "JPEG", quality=quality)
        weights.append(sum(getattr(Image.open(buffer), "quantization")[0]))  # noqa: B009
    return weights


def _name(header: Image.Image) -> str:
    return "JPEG" if header.format == "MPO" else str(header.format)


def _range(counts: dict[int, int]) -> str:
    known = sorted(quality for quality in counts if quality)
    if not known:
        return ""
    return f" of quality {known[0]}" + (f" to {known[-1]}" if known[-1] > known[0] else "")


def _median(counts: dict[int, int]) -> int:
    """Of the known qualities; 0 where there is none."""
    values = [quality for quality in sorted(counts) if quality for _ in range(counts[quality])]
    return values[len(values) // 2] if values else 0
