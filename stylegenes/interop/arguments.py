"""Constructor arguments that a foreign file names, checked before anything is built with them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from stylegenes.errors import UserError, shown
from stylegenes.interop.records import Record, mapping

_DEFAULT_LIMIT = 1 << 20
_LIMITS = {
    "num_layers": 64,
    "num_critical": 64,
    "img_resolution": 1 << 14,
    "img_channels": 1024,
    "conv_kernel": 31,
    "filter_size": 64,
    "lrelu_upsampling": 16,
    "margin_size": 1024,
}
"""Largest number that an argument may be, by its name."""
_DEPTH, _LENGTH, _WORD = 3, 64, 64


def plain_arguments(given: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """A copy of `given`, of nothing but numbers, words, and short lists and dictionaries of them.

    Raises:
        UserError: names the argument that is something else, or a number beyond what any network takes.
    """
    return {name: _plain(name, value, owner, _DEPTH) for name, value in given.items()}


def _plain(name: str, value: Any, owner: str, depth: int) -> Any:
    limit = _LIMITS.get(name, _DEFAULT_LIMIT)
    if len(name) > _WORD:
        raise UserError(f"{owner}: no argument is called {shown(name, 60)}")
    if value is None or isinstance(value, bool) or (isinstance(value, str) and len(value) <= _WORD):
        return value
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= limit:
        return value
    if isinstance(value, list | tuple) and len(value) <= _LENGTH and depth:
        return [_plain(name, item, owner, depth - 1) for item in value]
    if isinstance(value, dict | Record) and depth:
        return {key: _plain(key, item, owner, depth - 1) for key, item in list(mapping(value).items())[:_LENGTH]}
    what = f"{value:.3g}" if isinstance(value, float) else "too large a number" if isinstance(value, int) else None
    raise UserError(
        f"{owner}: the argument {shown(name, 60)} is {what or f'a {type(value).__name__} that no network takes'}"
    )
