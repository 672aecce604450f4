"""Embedded sets by a word and options: `avatars:n=4000,seed=1`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from stylegenes.errors import UserError
from stylegenes.words import did_you_mean

T = TypeVar("T")


def parse_options(cls: type[T], text: str) -> T:
    """A dataclass of whole numbers, truths and words, from `word` or `word:key=value,key=value`.

    Raises:
        UserError: for an unknown key or a value of the wrong kind.
    """
    pairs = [pair.partition("=") for pair in text.partition(":")[2].split(",") if pair]
    kinds = {field.name: str(field.type) for field in fields(cls)}  # type: ignore[arg-type]
    options: dict[str, Any] = {}
    for key, _, value in pairs:
        if key.strip() not in kinds:
            raise UserError(f"{text!r}: no option {key.strip()!r}{did_you_mean(key.strip(), kinds, 'options')}")
        options[key.strip()] = _READERS[kinds[key.strip()]](f"{text!r}: {key.strip()}", value.strip())
    return cls(**options)


def _read_int(what: str, value: str) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise UserError(f"{what} takes a whole number, not {value!r}") from error


def _read_bool(what: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise UserError(f"{what} takes true or false, not {value!r}")
    return value.lower() == "true"


_READERS = {"int": _read_int, "bool": _read_bool, "str": lambda _, value: value}
