"""Embedded sets by a word and options: `avatars:n=4000,seed=1`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Self, TypeVar

from stylegenes.errors import UserError
from stylegenes.words import did_you_mean

T = TypeVar("T")


@dataclass(frozen=True)
class StreamOptions:
    """Which pictures of an endless stream; what else there is to choose, a subclass says.

    Attributes:
        n: how many; a smaller set is a prefix of a larger one.
        seed: which stream, in [0, 2^63).

    Raises:
        UserError: for a number that is not allowed.
    """

    word: ClassVar[str] = ""
    n: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n < 1:
            raise UserError(f"{self.word}: n is {self.n}; ask for at least 1")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"{self.word}: seed is {self.seed}; it must lie in [0, 2^63)")

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the word alone, or `word:n=4000,seed=1` and so on.

        Raises:
            UserError: for an unknown key or a value of the wrong kind.
        """
        return parse_options(cls, text)

    @cached_property
    def names(self) -> list[str]:
        """Of the pictures: `000000.png` and so on."""
        return [f"{index:06d}.png" for index in range(self.n)]

    def __str__(self) -> str:
        """All options, as `parse` takes them."""
        return f"{self.word}:" + ",".join(f"{key}={value}" for key, value in asdict(self).items()).lower()


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
