"""The small notations that commands and notebooks share: seeds, code strings, labels, psi, layers, held things."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import SupportsFloat, cast

import torch

from stylegenes.analysis.editing import Constraints
from stylegenes.analysis.wishes import find_attribute
from stylegenes.drawing import BANDS, Way, band_layers
from stylegenes.errors import UserError, shown
from stylegenes.files import check_regular, decoded
from stylegenes.generator import Generator
from stylegenes.records import Noise, NoiseMode
from stylegenes.sheets import CARRIERS, Carried, read_sheet
from stylegenes.snapshot import DataCard
from stylegenes.words import did_you_mean, joined

MOST_SEEDS = 1_000_000
"""Seeds, steps and layers that are read at most."""
_DIGITS = 40
"""Digits of a whole number; Python itself refuses to read some thousands."""


def parse_seeds(text: str, what: str = "seeds") -> list[int]:
    """`0-3,20` as [0, 1, 2, 3, 20]; `what` they are is said in errors.

    Raises:
        UserError: for anything that is not whole numbers and ascending ranges, or more than a million of them.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        begin, end = _whole(first), _whole(last) if dash else _whole(first)
        if begin is None or end is None or end < begin:
            raise UserError(
                f"{what} {shown(text)!r}: {shown(part.strip(), 40)!r} is neither a whole number nor an ascending range "
                "like 0-15"
            )
        if len(seeds) + end + 1 - begin > MOST_SEEDS or end >= 2**63:
            raise UserError(f"{what} {shown(text)!r}: more than {MOST_SEEDS:,} of them, or one beyond 2^63")
        seeds += range(begin, end + 1)
    return seeds


def parse_codes(text: str) -> list[str]:
    """Code strings with commas between, or out of a file: a picture or JSON of this package, or lines of text.

    Raises:
        UserError: when the file is missing or holds no codes.
    """
    return read_codes(text).codes


def read_codes(text: str) -> Carried:
    """As `parse_codes`, with what the pictures of the file were drawn with.

    Raises:
        UserError: as `parse_codes`.
    """
    path = Path(text)
    suffix = path.suffix.lower()
    if suffix in CARRIERS:
        found = read_sheet(path)
    else:
        found = Carried(_lines(path) if suffix == ".txt" else text.split(","))
    codes = [code.strip() for code in found.codes if code.strip()]
    if not codes:
        why = found.origin.more.get("Pictures") if found.origin else None
        hint = f": it shows {why}" if why else "; pictures, JSON and .txt of code strings are read"
        raise UserError(f"there are no code strings in {text!r}{hint}")
    return Carried(codes, found.origin)


def parse_label(text: str | None, label_dim: int, data: DataCard | None) -> torch.Tensor | None:
    """A label [1, label_dim] from a class number or from names, or None for an unconditional model.

    Args:
        text: names or numbers of columns with commas between, each with `=value` where it is not 1. A name goes before
            a number; `#2` is column 2 also where another column is named `2`.
        label_dim: length of the label that the model needs, 0 for none.
        data: the data card, which knows the names.

    Raises:
        UserError: for a label that the model does not take, a missing one, or an unknown name.
    """
    names = data.label_names if data else []
    known = f"its labels: {', '.join(names)}" if names else f"a number from 0 to {label_dim - 1}"
    if label_dim == 0:
        if text is not None:
            raise UserError(f"--label {text}: this model is unconditional and takes no label")
        return None
    if text is None:
        raise UserError(f"this model is conditional: give --label, {known}")
    label = torch.zeros(1, label_dim)
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        column = names.index(name) if name in names else _whole(name.lstrip("#"))
        if column is None or column >= label_dim:
            unknown = f"{shown(name)!r}{did_you_mean(name, names, '')}"
            raise UserError(f"--label {shown(text)}: this model has no label {unknown}; {known}")
        label[0, column] = _finite(value or "1", f"--label {text}")
    return label


def parse_labels(texts: Sequence[str | None], label_dim: int, data: DataCard | None) -> torch.Tensor | None:
    """Labels [N, label_dim] from N texts, or None for an unconditional model.

    Raises:
        UserError: as `parse_label`.
    """
    rows = [parse_label(text, label_dim, data) for text in texts]
    found = [row for row in rows if row is not None]
    return torch.cat(found) if found else None


def parse_noise(text: str) -> NoiseMode:
    """A noise mode.

    Raises:
        UserError: for another word.
    """
    return Noise(cast(NoiseMode, text)).mode


def _finite(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{what}: {text!r} is not a number")
    return value


def _whole(text: str) -> int | None:
    """A whole number; None for what is none, or so long that nothing is counted by it."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else None


def _lines(path: Path) -> list[str]:
    """Lines of UTF-8, or of UTF-16 with its mark, as editors on Windows write them."""
    check_regular(path)
    content = path.read_bytes()
    try:
        return decoded(content).splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} cannot be read as lines of text: {error}") from error


def parse_psi(text: str) -> tuple[float, int | None]:
    """`0.7` as (0.7, None); `0.7:8`, for the 8 leading layers only, as (0.7, 8).

    Raises:
        UserError: for anything else, or more layers than any model has.
    """
    number, colon, layers = text.partition(":")
    try:
        psi = _finite(number, "psi")
    except UserError:
        psi = math.nan
    leading = _whole(layers) if colon else None
    if psi != psi or (colon and leading is None):
        raise UserError(f"psi {shown(text)!r} is not a number like 0.7, or 0.7:8 for the 8 leading layers")
    if leading is not None and leading > MOST_SEEDS:
        raise UserError(f"psi {shown(text)!r} names {leading:,} leading layers; give at most {MOST_SEEDS:,}")
    return psi, leading


def psi_text(psi: object) -> str:
    """A truncation as text: text as it is, or a number of Python's, NumPy's or torch's.

    Raises:
        UserError: for anything else.
    """
    try:
        return psi if isinstance(psi, str) else repr(float(cast(SupportsFloat, psi)))
    except (TypeError, ValueError, RuntimeError):
        raise UserError(f"psi {shown(repr(psi))} is not a number like 0.7, or 0.7:8 for the 8 leading layers") from None


def parse_steps(text: str) -> tuple[int, tuple[Way, ...]]:
    """`24` as (24, ("own",)), steps and the latent's own way; `24:w`, `24:code` or `24:both` for others.

    Raises:
        UserError: for anything else.
    """
    number, colon, word = text.partition(":")
    ways: dict[str, tuple[Way, ...]] = {"own": ("own",), "code": ("code",), "w": ("w",), "both": ("code", "w")}
    steps = _whole(number)
    if steps is None or (colon and word not in ways):
        raise UserError(f"--interpolate {shown(text)!r} is not a number of steps like 24, or 24:{', 24:'.join(ways)}")
    if not 1 <= steps <= MOST_SEEDS:
        raise UserError(
            f"--interpolate is {number}; at least 1 step from code to code is needed, and at most {MOST_SEEDS:,}"
        )
    return steps, ways[word or "own"]


def parse_layers(text: str | Sequence[int], generator: Generator) -> list[int]:
    """Layer numbers from `all`, a band (`coarse`, `middle`, `fine`) or numbers and ranges (`0-3,7`).

    Raises:
        UserError: for anything else, or a layer that does not exist.
    """
    text = joined("layers", text)
    if text == "all":
        return list(range(generator.synthesis.num_ws))
    if text in BANDS:
        return band_layers(generator, text).nonzero().flatten().tolist()
    last = generator.synthesis.num_ws - 1
    hint = f"layers {shown(text)!r} are unknown; use all, {', '.join(BANDS)}, or numbers from 0 to {last} as 0-3,7"
    try:
        layers = sorted(set(parse_seeds(text, "layers")))
    except UserError as error:
        raise UserError(hint) from error
    if layers[-1] > last:
        raise UserError(hint)
    return layers


def parse_hold(text: str | Sequence[str | int], attributes: list[str]) -> Constraints:
    """`Young,3,20-25` as what an edit leaves alone: names of attributes and numbers of genes.

    Raises:
        UserError: for an unknown attribute.
    """
    parts = [part.strip() for part in joined("held things", text).split(",") if part.strip()]
    genes = [part for part in parts if re.fullmatch(r"\d+(-\d+)?", part)]
    return Constraints(
        genes=parse_seeds(",".join(genes), "genes") if genes else [],
        attributes=[find_attribute(part, attributes) for part in parts if part not in genes],
    )
