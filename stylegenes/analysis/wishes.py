"""Wishes: which attributes a picture should have or lack, read from text such as "Smiling=1,Eyeglasses=0@0.3"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from stylegenes.errors import UserError
from stylegenes.words import did_you_mean, joined

_TRUTH = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}


@dataclass(frozen=True)
class Wish:
    """One attribute wanted present or absent.

    Attributes:
        attribute: its name, as the classifier spells it.
        column: its column in the classifier's output.
        present: whether it is wanted present.
        temperature: its own sampling temperature, or None for the common one.
    """

    attribute: str
    column: int
    present: bool = True
    temperature: float | None = None

    def likelihood(self, probability: torch.Tensor) -> torch.Tensor:
        """How probable the wish is, [...], from attribute probabilities [..., A]: p, or 1 - p for an absent one."""
        p = probability[..., self.column]
        return p if self.present else 1 - p

    def __str__(self) -> str:
        return f"{self.attribute}={int(self.present)}"


Wished = str | Sequence[str] | Mapping[str, int | bool]
"""`Smiling=1,Hat=0` as text, as a list of such wishes, or as `{"Smiling": 1, "Hat": 0}`."""


def wish_text(wishes: Wished) -> str:
    """Wishes as text, which files record.

    Raises:
        UserError: for what is no text, list or mapping.
    """
    return joined("wishes", wishes)


def parse_where(text: str, attributes: list[str]) -> list[Wish]:
    """Read "Name=1,Other=0@0.3": 1 wants it present, 0 absent; @ gives an attribute a temperature of its own.

    Raises:
        UserError: for an unknown attribute (says the nearest), one named twice, or a malformed part.
    """
    wishes = [_parse(part.strip(), attributes) for part in text.split(",") if part.strip()]
    if not wishes:
        raise UserError('nothing is wished for; write for example "Smiling=1,Eyeglasses=0"')
    names = [wish.attribute for wish in wishes]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UserError(f"{', '.join(sorted(twice))} is wished for twice")
    return wishes


def find_attribute(name: str, attributes: list[str]) -> int:
    """The column of an attribute, whatever the case of its name.

    Raises:
        UserError: when there is none; says the nearest and lists all.
    """
    folded = {attribute.casefold().replace(" ", "_"): i for i, attribute in enumerate(attributes)}
    key = name.strip().casefold().replace(" ", "_")
    if key in folded:
        return folded[key]
    raise UserError(f"unknown attribute {name!r}{did_you_mean(name.strip(), attributes, 'attributes')}")


def _parse(part: str, attributes: list[str]) -> Wish:
    name, equals, value = part.partition("=")
    value, at, temperature = value.partition("@")
    if not equals or value.strip().casefold() not in _TRUTH:
        raise UserError(f'{part!r} is not a wish; write Name=1 (present) or Name=0 (absent), for example "Smiling=1"')
    column = find_attribute(name, attributes)
    own = _parse_temperature(temperature, part) if at else None
    return Wish(attributes[column], column, _TRUTH[value.strip().casefold()], own)


def _parse_temperature(text: str, part: str) -> float:
    try:
        return check_temperature(float(text))
    except ValueError as error:
        raise UserError(f"{part!r}: the temperature after @ must be a positive number") from error


def fulfilled(wishes: Sequence[Wish], probability: torch.Tensor) -> int:
    """How many rows of attribute probabilities [n, A] fulfil all wishes."""
    return int(torch.stack([wish.likelihood(probability) > 0.5 for wish in wishes]).all(dim=0).sum())


def check_temperature(temperature: float) -> float:
    """The temperature itself, if it is positive.

    Raises:
        UserError: otherwise.
    """
    if not 0 < temperature < float("inf"):
        raise UserError(f"a temperature must be a positive number; got {temperature}")
    return temperature
