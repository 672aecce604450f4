"""Seeds, codes and labels as a caller in Python gives them: text, numbers of any library, sheets and files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, SupportsIndex, cast

import numpy as np
import torch

from stylegenes.drawing import as_whole
from stylegenes.errors import UserError, shown
from stylegenes.generator import Generator
from stylegenes.notation import parse_label, parse_seeds, read_codes
from stylegenes.sheets import Carried, Sheet
from stylegenes.snapshot import Card
from stylegenes.words import joined

Seeds = str | SupportsIndex | Iterable[SupportsIndex]
Codes = str | PathLike[str] | Sequence[str] | torch.Tensor | np.ndarray | Sheet
Label = str | SupportsIndex | Sequence[float] | Sequence[str] | torch.Tensor
NO_CODES = "no codes were given; give at least one code string"


def as_label(label: Label, label_dim: int, card: Card) -> torch.Tensor | None:
    """A label [1, L] of a text, a column's number, or L numbers.

    Raises:
        UserError: for one that the model does not take.
    """
    if isinstance(label, SupportsIndex) and not np.ndim(cast(Any, label)):
        label = str(as_whole(label, "the number of a label's column"))
    if isinstance(label, Sequence) and label and all(isinstance(one, str) for one in label) and label_dim:
        label = joined("labels", label)
    if isinstance(label, str):
        return parse_label(label, label_dim, card.data)
    try:
        row = torch.as_tensor(label, dtype=torch.float32).reshape(1, -1)
    except (TypeError, ValueError, RuntimeError):
        raise UserError(f"a label is a name, a column or numbers; got {shown(repr(label))}") from None
    if row.shape[1] != label_dim:
        raise UserError(f"this model takes a label of {label_dim} numbers; got {row.shape[1]}")
    if not row.isfinite().all():
        raise UserError(f"a label has finite numbers; got {shown(repr(label))}")
    return row if label_dim else None


def as_seeds(seeds: Seeds) -> list[int]:
    """Seeds as a list.

    Raises:
        UserError: for text or numbers that name none.
    """
    if isinstance(seeds, str):
        return parse_seeds(seeds)
    if isinstance(seeds, SupportsIndex) and not np.ndim(cast(Any, seeds)):
        return [as_whole(seeds, "a seed")]
    if not isinstance(seeds, Iterable):
        raise UserError(f"seeds are whole numbers, or text like 0-15,20; got {shown(repr(seeds))}")
    return [as_whole(seed, "a seed") for seed in seeds]


def as_codes(generator: Generator, codes: Codes | None) -> Carried:
    """Code strings, and what they were drawn with where that is known.

    Raises:
        UserError: when a file is missing or holds no codes, for none at all, or for what are no codes of this model.
    """
    if codes is None:
        return Carried([])
    if isinstance(codes, str | PathLike):
        return read_codes(str(codes))
    if isinstance(codes, Sheet):
        return Carried(list(codes.codes), codes.origin)
    if isinstance(codes, torch.Tensor) or (isinstance(codes, np.ndarray) and codes.dtype.kind in "biufc"):
        rows = torch.as_tensor(codes)
        generator.latent.check_code(rows)
        codes = generator.latent.to_strings(rows)
    strings: list[Any] = list(codes) if isinstance(codes, Iterable) else [codes]
    if not strings:
        raise UserError(NO_CODES)
    for one in strings:
        if not isinstance(one, str):
            raise UserError(
                f"codes are code strings, a sheet, a file that carries them, or [N, ...]; got {shown(repr(one))}"
            )
    return Carried(strings)
