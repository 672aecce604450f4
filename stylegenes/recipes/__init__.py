"""Recipes: named full configurations, as Python functions that derive from each other."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from stylegenes.errors import UserError
from stylegenes.recipes.tiny import tiny32
from stylegenes.training.config import RunConfig

RECIPES: dict[str, Callable[[], RunConfig]] = {function.__name__: function for function in (tiny32,)}
"""Every recipe by name."""


def recipe(name: str) -> RunConfig:
    """The configuration of the recipe `name`.

    Raises:
        UserError: for an unknown name; lists the known ones.
    """
    if name not in RECIPES:
        close = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ";"
        raise UserError(f"unknown recipe {name!r}{hint} recipes: {', '.join(RECIPES)}")
    return RECIPES[name]()
