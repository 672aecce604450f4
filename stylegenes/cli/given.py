"""Options that were given, and those that exclude each other: what is given is never ignored in silence."""

from __future__ import annotations

from typing import Any

from stylegenes.errors import UserError


def is_given(args: Any, name: str) -> bool:
    """Whether an option of `Args`, or of a group of them, has another value than its default."""
    return getattr(args, name) != getattr(type(args), name)


def at_most_one(args: Any, first: str, second: str, what: str) -> None:
    """Refuse two options that are two answers to one question.

    Args:
        args: `Args`, or a group of them.
        first: name of an option that has a default.
        second: name of another.
        what: both say.

    Raises:
        UserError: when both are given.
    """
    if is_given(args, first) and is_given(args, second):
        raise UserError(f"--{first} and --{second} each say {what}; give one of them")


def refuse(args: Any, names: tuple[str, ...], why: str) -> None:
    """Refuse options that mean nothing here.

    Args:
        args: `Args`, or a group of them.
        names: of options that have defaults.
        why: the rest of the sentence that begins with the option, and what to do.

    Raises:
        UserError: names the first that is given.
    """
    given = next((name for name in names if is_given(args, name)), None)
    if given is not None:
        raise UserError(f"--{given.replace('_', '-')} {why}")
