"""One door for values that come from outside: JSON that is read back, and arguments of what is built by name.

A type hint is the schema: dataclasses, `list[int]`, `dict[str, float]`, `Literal`, unions, `Annotated[int, Range(1)]`.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import itertools
import math
import reprlib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from stylegenes.errors import UserError, shown
from stylegenes.words import did_you_mean

T = TypeVar("T")

_LARGEST = 2**63 - 1
"""The largest whole number that a tensor's size or index can be."""

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxlong = 30


@dataclass(frozen=True)
class Range:
    """What a number may be: from `low` to `high`, or strictly above `low` where `open_low` is set."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False

    def holds(self, value: float) -> bool:
        """Whether `value` is in it."""
        return value <= self.high and (value > self.low if self.open_low else value >= self.low)

    def __str__(self) -> str:
        least = f"above {self.low:g}" if self.open_low else f"at least {self.low:g}"
        if self.high == math.inf:
            return least
        most = f"at most {self.high:g}" if self.high < 1e6 else f"at most {self.high:,.0f}"
        return most if self.low == -math.inf else f"{least} and {most}"


@dataclass(frozen=True)
class Reader:
    """How a value is written: `read` gives its one spelling, or refuses it with a UserError.

    The hint beside it says what the value may look like; what cannot be read is refused with the place.
    """

    read: Callable[[Any], Any]


Count = Annotated[int, Range(1, 2**20)]
"""How many, at least one."""
Pixels = Annotated[int, Range(1, 4096)]
"""Height and width of a picture."""
Few = Annotated[int, Range(0, 128)]
"""How many of what there are never hundreds of: layers, taps, factors."""
Share = Annotated[float, Range(0, 1)]
Factor = Annotated[float, Range(0, 1e6)]
"""A weight or a scale, 0 for none."""
Positive = Annotated[float, Range(0, 1e6, open_low=True)]


def check(value: Any, hint: Any, where: str) -> Any:
    """`value`, converted to the hinted type: an int passes for a float, a list for a tuple, a dictionary for a record.

    Raises:
        UserError: says where, what was given and what is allowed; numbers must be finite.
    """
    refusal = None
    for kind in _alternatives(hint):
        try:
            found = _try(value, kind, where)
        except UserError as error:
            refusal = error
            continue
        if found is not _ABSENT:
            return found
    raise refusal or UserError(f"{where} is {brief(value)}, not {describe(hint)}")


def as_record(kind: type[T], value: Any, where: str) -> T:
    """A dataclass from a dictionary: every key known, none missing, every value of its type.

    Raises:
        UserError: as `check`; unknown keys are told with those that exist.
    """
    if not isinstance(value, Mapping):
        raise UserError(f"{where} is {brief(value)}, not a group of named values")
    hints = typing.get_type_hints(kind, include_extras=True)
    for key in value:
        if key not in hints:
            raise UserError(f"{where}: unknown key {brief(key)}{did_you_mean(str(key)[:100], hints)}")
    missing = [field.name for field in dataclasses.fields(kind) if field.name not in value and _required(field)]  # type: ignore[arg-type]
    if missing:
        raise UserError(f"{where} lacks {', '.join(missing)}")
    return kind(**{key: check(inner, hints[key], f"{where}: {key}") for key, inner in value.items()})


def brief(value: Any) -> str:
    """A value for a message: on one line, short, without characters that a terminal obeys."""
    try:
        return shown(_SHORT.repr(value), 120)
    except ValueError:  # a number of thousands of digits
        return f"a {type(value).__name__}"


def describe(hint: Any) -> str:
    """What a hint allows, in words."""
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "none"}
    return " or ".join(names.get(kind) or _describe_other(kind) for kind in _alternatives(hint))


_ABSENT = object()


def _try(value: Any, kind: Any, where: str) -> Any:
    """`value` as one of the hint's alternatives, or `_ABSENT` where its type is another."""
    origin, inside = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin is typing.Annotated:
        found = check(value, inside[0], where)
        return _in_range(found, inside[1:], where)
    if kind is Any or origin is typing.Literal:
        return (
            value
            if kind is Any or any(value is a or (value == a and type(value) is type(a)) for a in inside)
            else _ABSENT
        )
    if origin in (int, float):
        return _number(value, origin)
    if dataclasses.is_dataclass(origin):
        return as_record(origin, value, where) if isinstance(value, Mapping) else _ABSENT  # type: ignore[arg-type]
    if origin in (list, tuple, collections.abc.Sequence):
        return _items(value, origin, inside, where)
    if origin in (dict, collections.abc.Mapping):
        return _entries(value, inside, where)
    if kind is None or kind is type(None):
        return value if value is None else _ABSENT
    return value if not isinstance(origin, type) or isinstance(value, origin) else _ABSENT


def _number(value: Any, kind: type) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _ABSENT
    if isinstance(value, int) and abs(value) > _LARGEST:
        return _ABSENT
    if kind is float:
        return float(value) if math.isfinite(value) else _ABSENT
    return value if isinstance(value, int) else _ABSENT


def _items(value: Any, origin: Any, inside: tuple[Any, ...], where: str) -> Any:
    if not isinstance(value, (list, tuple)):
        return _ABSENT
    if origin is tuple and inside and inside[-1] is not Ellipsis:
        if len(value) != len(inside):
            return _ABSENT
        hints: Iterable[Any] = inside
    else:
        hints = itertools.repeat(inside[0] if inside else Any)
    found = [_check_inside(item, hint, where, i) for i, (item, hint) in enumerate(zip(value, hints))]
    return tuple(found) if origin is tuple or isinstance(value, tuple) else found


def _entries(value: Any, inside: tuple[Any, ...], where: str) -> Any:
    if not isinstance(value, Mapping):
        return _ABSENT
    key_hint, hint = inside or (Any, Any)
    return {check(key, key_hint, where): _check_inside(item, hint, where, key) for key, item in value.items()}


def _check_inside(value: Any, hint: Any, where: str, key: Any) -> Any:
    """`check`; the place is put into words only where something is wrong, since lists may be long."""
    try:
        return check(value, hint, where)
    except UserError:
        return check(value, hint, f"{where}[{brief(key)}]")


def _in_range(value: Any, marks: tuple[Any, ...], where: str) -> Any:
    for mark in marks:
        if isinstance(mark, Range) and isinstance(value, (int, float)) and not mark.holds(value):
            raise UserError(f"{where} = {brief(value)} must be {mark}")
        if isinstance(mark, Reader):
            value = _read(mark, value, where)
    return value


def _read(mark: Reader, value: Any, where: str) -> Any:
    try:
        return mark.read(value)
    except UserError as error:
        raise UserError(f"{where} = {brief(value)}: {error}") from error


def _alternatives(hint: Any) -> tuple[Any, ...]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        # None first: it is told from everything else at once.
        return tuple(sorted(typing.get_args(hint), key=lambda kind: kind is not type(None)))
    return (Any,) if hint is inspect.Parameter.empty else (hint,)


def _describe_other(kind: Any) -> str:
    origin, inside = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin is typing.Annotated:
        return f"{describe(inside[0])} {' '.join(str(mark) for mark in inside[1:] if isinstance(mark, Range))}".rstrip()
    if origin is typing.Literal:
        return f"one of {', '.join(map(str, inside))}"
    if origin in (list, tuple, collections.abc.Sequence):
        return f"a list of {describe(inside[0])}" if inside else "a list"
    if origin in (dict, collections.abc.Mapping) or dataclasses.is_dataclass(origin):
        return "a group of named values"
    return getattr(kind, "__name__", str(kind))


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
