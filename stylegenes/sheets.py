"""The one maker of sheets: pictures, captions and code strings become a file that says what it was drawn with.

`stylegenes sample --codes FILE` draws the codes of such a file again with the same psi, noise and label.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylegenes.drawing import DrawSettings
from stylegenes.errors import UserError
from stylegenes.files import atomic_path, read_bytes, read_json
from stylegenes.pictures import (
    ANIMATIONS,
    STILLS,
    encode,
    enlarge,
    grid,
    read_text,
    save_animation,
    save_picture,
    visible_scale,
)
from stylegenes.version import __version__
from stylegenes.words import counted

FPS = 24
"""Frames a second of animations."""
MOVING = tuple(suffix for suffix in ANIMATIONS if suffix not in STILLS)
"""Suffixes that are animations only; a .webp is a sheet unless an animation is asked for."""
CARRIERS = (*STILLS, *MOVING, ".json")
"""Suffixes of files that carry code strings."""
MADE_FILE = "made.txt"
"""File of a folder that says what makes the folder."""
_PAGE_MADE = re.compile(r'<meta name="made" content="([^"]*)">')
_HEAD = 4096
"""Characters of a page within which it says what makes it."""
_OWN = ("Software", "Model", "Weights", "Psi", "Noise", "Label", "Codes")


@dataclass(frozen=True)
class Origin:
    """What the pictures of a file were drawn with.

    Attributes:
        model: name of the model.
        weights: fingerprint of its weights, "" where it is not known.
        psi: truncation as text, `0.7` or `0.7:8`.
        noise: `const`, `none` or `random`.
        labels: what a conditional model was given, as `--label` takes it: one for all codes, or one for each.
        more: whatever else there is to say, by capitalized key: Where, Mixing, Made.
    """

    model: str
    weights: str = ""
    psi: str = "1"
    noise: str = "const"
    labels: Sequence[str] = ()
    more: Mapping[str, str] = field(default_factory=dict)

    def text(self, codes: Sequence[str]) -> dict[str, str]:
        """What a file with pictures of these codes says about itself."""
        known = {"Model": self.model, "Weights": self.weights, "Psi": self.psi, "Noise": self.noise}
        text = {"Software": f"stylegenes {__version__}", **known, "Label": "\n".join(self.labels), **self.more}
        return {key: value for key, value in text.items() if value} | {"Codes": "\n".join(codes)}

    @classmethod
    def read(cls, text: Mapping[str, str]) -> Origin | None:
        """What `text` gave; None for a file of others."""
        if "Model" not in text:
            return None
        labels = [label for label in text.get("Label", "").split("\n") if label]
        more = {key: value for key, value in text.items() if key not in _OWN}
        known = {key: text[key.capitalize()] for key in ("weights", "psi", "noise") if text.get(key.capitalize())}
        return cls(text["Model"], labels=labels, more=more, **known)

    def made(self, by: str) -> Origin:
        """The same, with what makes the file, see `free_path`."""
        return replace(self, more={**self.more, "Made": by})

    def warning(self, model: str, weights: str) -> str | None:
        """What to say where another model draws these codes; None where it is the same one."""
        if self.weights == weights or (not self.weights and self.model == model):
            return None
        whose = "other weights of this model" if self.model == model else self.model
        return f"the codes were drawn with {whose}; {model} makes other pictures of them"


def origin_of(
    model: str,
    weights: str,
    drawing: DrawSettings,
    label_names: Sequence[str] = (),
    more: Mapping[str, str] | None = None,
) -> Origin:
    """The origin of pictures drawn with these settings.

    Args:
        model: its name.
        weights: fingerprint of its weights.
        drawing: psi, noise and labels.
        label_names: names of the label's columns, where it has some.
        more: whatever else there is to say, by capitalized key.
    """
    psi = _number(drawing.psi) + ("" if drawing.cutoff is None else f":{drawing.cutoff}")
    rows = drawing.condition.label
    labels = [] if rows is None else [label_text(row, label_names) for row in rows]
    return Origin(model, weights, psi, drawing.noise, labels if len(set(labels)) > 1 else labels[:1], more or {})


def label_text(label: torch.Tensor, names: Sequence[str] = ()) -> str:
    """A label [L] as `--label` takes it: columns that are not zero, by name where a name is plain and its own.

    Other columns are told by number, with a `#` before it where a column is named by that very number.
    """
    words = [_word(column, names) for column in range(len(label))]
    parts = [
        word if value == 1 else f"{word}={_number(value)}"
        for word, value in zip(words, label.tolist(), strict=True)
        if value
    ]
    return ",".join(parts) or f"{words[0]}=0"


def _word(column: int, names: Sequence[str]) -> str:
    name = names[column] if column < len(names) else ""
    plain = name and name == name.strip() and not set(name) & set(",=\n") and names.index(name) == column
    numbers = ("#" * marks + str(column) for marks in count())
    return name if plain else next(number for number in numbers if number not in names)


def _number(value: float) -> str:
    """The shortest text that is read as this very number."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


@dataclass(frozen=True, eq=False)
class Sheet:
    """Pictures to look at, and what they are. Shows itself in a notebook.

    Attributes:
        pictures: uint8 [H, W, C], all of one shape, at least one.
        codes: code strings of what is shown, in order; of the sources where a picture has none of its own.
        origin: what the pictures were drawn with.
        captions: a line under each picture, or nothing.
        columns: pictures a row; None makes the sheet about square.
        scale: how often each pixel is repeated; None makes small pictures visible.
        gap: pixels of paper between pictures.
        notes: sentences for whoever asked for the pictures.
    """

    pictures: Sequence[np.ndarray]
    codes: Sequence[str]
    origin: Origin
    captions: Sequence[str] | None = None
    columns: int | None = None
    scale: int | None = None
    gap: int = 2
    notes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.pictures)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.pictures[index]

    @property
    def text(self) -> dict[str, str]:
        """What the file says about itself."""
        return self.origin.text(self.codes)

    def array(self) -> np.ndarray:
        """The sheet as one picture [H, W, C]."""
        return grid(
            self.pictures, columns=self.columns, captions=self.captions, scale=self._times(self.scale), gap=self.gap
        )

    def save(self, path: str | Path, *, moving: bool = False) -> Path:
        """Write a sheet (.png, .webp), or the pictures one after another (.gif, .mp4; .webp with `moving`).

        Raises:
            UserError: for another suffix.
            OSError: when the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in (*STILLS, *MOVING):
            raise UserError(f"{path} ends in {path.suffix!r}; here it can end in {', '.join((*STILLS, *MOVING))}")
        if moving or path.suffix.lower() in MOVING:
            times = self._times(self.scale)
            return save_animation(path, [enlarge(one, times) for one in self.pictures], fps=FPS, text=self.text)
        return save_picture(path, self.array(), self.text)

    def save_each(self, folder: str | Path, names: Sequence[str]) -> list[Path]:
        """Write each picture into a file of its own with its own code.

        Raises:
            OSError: when a file cannot be written.
        """
        each = zip(self.pictures, self.codes, names, strict=True)
        return [save_picture(Path(folder) / name, one, self.origin.text([code])) for one, code, name in each]

    def _times(self, scale: int | None) -> int:
        return visible_scale(max(self.pictures[0].shape[:2])) if scale is None else scale

    def _repr_png_(self) -> bytes:
        return encode(self.array(), self.text)

    def __repr__(self) -> str:
        height, width = self.pictures[0].shape[:2]
        shown = f"psi {self.origin.psi}, noise {self.origin.noise}" + "".join(f", {one}" for one in self.origin.labels)
        told = f"Sheet of {counted(len(self), 'picture')}, {width} x {height}, by {self.origin.model} ({shown})"
        return "\n".join([told, *self.notes])


@dataclass(frozen=True)
class Carried:
    """The code strings that a file carries, and what its pictures were drawn with, where it says so."""

    codes: list[str]
    origin: Origin | None = None


def read_sheet(path: str | Path) -> Carried:
    """The codes of a picture, an animation or a JSON file of this package.

    Raises:
        UserError: when the file cannot be read, or is JSON of something else; a picture of others carries no codes.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        return _read_json(path)
    text = read_text(path)
    return Carried([code for code in text.get("Codes", "").split("\n") if code.strip()], Origin.read(text))


def free_path(path: Path, made: str, beside: Sequence[str] = (), *, over: str | tuple[str, ...] | None = None) -> Path:
    """`path` where nothing is there or what is there was made by the same; else `NAME-2`, `NAME-3`, ...

    Args:
        path: a picture, or a folder.
        made: what makes it: a command line, or settings. A picture says so under `Made`, a page in its head, a folder
            in made.txt.
        beside: suffixes of files that are written beside a picture.
        over: what was made by something that begins so, or with one of these, may be replaced too.
    """
    for number in count(1):
        one = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        others = [one.with_suffix(suffix) for suffix in beside]
        if not any(place.exists() for place in (one, *others)):
            return one
        by = made_by_what(one)
        if by is not None and (by == made or (over is not None and by.startswith(over))):
            return one
    raise AssertionError("numbers do not end")


def claim_folder(path: Path, made: str) -> Path:
    """`free_path` of a folder, which says from here on what it was made by."""
    place = free_path(path, made)
    with atomic_path(place / MADE_FILE) as part:
        part.write_text(made + "\n", encoding="utf-8")
    return place


def made_by_what(path: Path) -> str | None:
    """What a picture, a page or a folder says that it was made by; None where it says nothing."""
    try:
        if path.is_dir():
            return (path / MADE_FILE).read_text(encoding="utf-8").strip()
        if path.suffix == ".html":
            found = _PAGE_MADE.search(read_bytes(path, most=2**63, size=_HEAD).decode("utf-8", "ignore"))
            return found and html.unescape(found[1])
        return read_text(path).get("Made")
    except (UserError, OSError, UnicodeDecodeError):
        return None


def texts_of(path: Path) -> dict[str, str]:
    """What a picture says about itself; nothing where there is none, or it cannot be read."""
    try:
        return read_text(path)
    except (UserError, OSError):
        return {}


def codes_record(origin: Origin, names: Sequence[str], files: Sequence[str], codes: Sequence[str]) -> dict[str, Any]:
    """The JSON beside a sheet: what was drawn, and name, file and string of each code.

    Args:
        origin: what the pictures were drawn with.
        names: of the codes, like `seed 3`.
        files: of the pictures, one for each code.
        codes: strings.
    """
    about = {key.lower(): value for key, value in origin.text([]).items() if key not in ("Codes", "Software")}
    rows = [{"name": n, "file": f, "code": c} for n, f, c in zip(names, files, codes, strict=True)]
    return {**about, "codes": rows}


def _read_json(path: Path) -> Carried:
    found = read_json(path)
    about = found if isinstance(found, dict) else {}
    rows = about.get("codes", []) if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise UserError(f"{path} holds no list of codes")
    codes = [row.get("code", "") if isinstance(row, dict) else row for row in rows]
    if not all(isinstance(code, str) for code in codes):
        raise UserError(f"{path} holds codes that are not strings")
    text = {str(key).capitalize(): str(value) for key, value in about.items() if isinstance(value, str | float | int)}
    return Carried([code for code in codes if code.strip()], Origin.read(text))
