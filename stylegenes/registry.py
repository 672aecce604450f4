"""Names to classes, built from plain dictionaries whose keys are checked against the constructor's signature."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from stylegenes.bounds import memory_bound
from stylegenes.errors import UserError, shown
from stylegenes.shape import Range, brief, check
from stylegenes.words import did_you_mean

T = TypeVar("T")
C = TypeVar("C", bound=type)
Spec = dict[str, Any]
"""A JSON-ready description of a module: `{"name": registered name, **keyword arguments}`."""

_WHOLE = Range(0, 2**20)
"""What whole numbers are, in arguments that say nothing else: sizes, counts, and 0 for none."""


class Registry(Generic[T]):
    """A table of classes of one kind. The constructor's signature is the only schema."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._classes: dict[str, type[T]] = {}

    def register(self, name: str) -> Callable[[C], C]:
        """Class decorator that files a class under `name`."""

        def file(cls: C) -> C:
            assert name not in self._classes, f"{self.kind} {name!r} is registered twice"
            self._classes[name] = cls  # type: ignore[arg-type]
            return cls

        return file

    def names(self) -> list[str]:
        """All registered names, sorted."""
        return sorted(self._classes)

    def get(self, name: str) -> type[T]:
        """The class filed under `name`.

        Raises:
            UserError: when the name is unknown; lists the known ones.
        """
        if name not in self._classes:
            raise UserError(f"unknown {self.kind} {name!r}{did_you_mean(name, self.names())}")
        return self._classes[name]

    def parameters(self, name: str) -> dict[str, inspect.Parameter]:
        """Accepted keyword arguments of `name`, in the constructor's order."""
        parameters = inspect.signature(self.get(name).__init__).parameters
        # A class without a constructor of its own shows `object`'s *args and **kwargs, which it does not take.
        unnamed = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return {
            key: parameter for key, parameter in parameters.items() if key != "self" and parameter.kind not in unnamed
        }

    def check(self, spec: Mapping[str, Any]) -> Spec:
        """A plain copy of `spec`, after checking its name and keys without building anything.

        Raises:
            UserError: for a missing name, an unknown key, a missing required key, or a value of another type than the
                constructor's signature says: numbers are finite, whole numbers from 0 to 2^20 where no other range is
                annotated.
        """
        if not isinstance(spec, Mapping):
            raise UserError(f"a {self.kind} is described by a group of named values; got {brief(spec)}")
        if not isinstance(spec.get("name"), str):
            raise UserError(f"a {self.kind} needs a 'name', one of: {', '.join(self.names())}")
        accepted = self.parameters(spec["name"])
        given = {key: value for key, value in spec.items() if key != "name"}
        for key in given:
            if key not in accepted:
                raise UserError(f"{self.kind} {spec['name']!r} takes no {key!r}{did_you_mean(key, list(accepted))}")
        missing = [k for k, p in accepted.items() if p.default is inspect.Parameter.empty and k not in given]
        if missing:
            raise UserError(f"{self.kind} {spec['name']!r} needs {', '.join(missing)}")
        hints = typing.get_type_hints(self.get(spec["name"]).__init__, include_extras=True)
        for key, value in given.items():
            where = f"{key} of {self.kind} {spec['name']!r}"
            _check_whole(check(value, hints.get(key, Any), where), where)
        return dict(spec)

    def build(self, spec: Mapping[str, Any]) -> T:
        """Build the module that `spec` describes; the module keeps its spec as `.spec`.

        Raises:
            UserError: as `check`, whatever the constructor refuses, and for more memory than is free.
        """
        checked = self.check(spec)
        given = {key: value for key, value in checked.items() if key != "name"}
        what = f"{self.kind} {checked['name']!r}"
        try:
            with memory_bound(what):
                module = self.get(checked["name"])(**given)
        except UserError:
            raise
        except _UNBUILDABLE as error:
            # The constructors refuse what they know of; of what only fails inside, the values are to blame as well.
            values = ", ".join(f"{key}={brief(value)}" for key, value in given.items())
            raise UserError(
                f"{what} cannot be built with {values} ({type(error).__name__}: {shown(error, 200)})"
            ) from error
        module.spec = checked  # type: ignore[attr-defined]
        return module


_UNBUILDABLE = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RecursionError, RuntimeError, TypeError,
    ValueError,
)  # fmt: skip


def _check_whole(value: Any, where: str) -> None:
    """Refuse whole numbers, alone or in lists, that are no sizes or counts."""
    for item in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(item, int) and not _WHOLE.holds(item):
            raise UserError(f"{where} = {brief(item)} must be {_WHOLE}")
