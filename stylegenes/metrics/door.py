"""The one door that features pass before two sets of them are compared."""

from __future__ import annotations

from typing import Protocol

from stylegenes.errors import UserError


class Comparable(Protocol):
    """A set of features to compare: `Rows`, or the `Gaussian` fitted to them."""

    @property
    def num(self) -> int:
        """How many pictures."""
        ...

    @property
    def dim(self) -> int:
        """Numbers that describe a picture."""
        ...

    def fault(self) -> str:
        """What is wrong with it in itself, as the end of a sentence that begins with whose features; or ""."""
        ...


def admit(real: Comparable, fake: Comparable, what: str, *, least_real: int = 1, least_fake: int = 1) -> None:
    """Refuse what cannot be compared, before anything is computed of it.

    Args:
        real: features of the reals.
        fake: features of the fakes.
        what: the measure, as messages call it: "a kernel distance".
        least_real: reals that it needs.
        least_fake: fakes that it needs.

    Raises:
        UserError: for features that are no table of floating-point numbers, of different lengths, of too few pictures,
            or not finite.
    """
    for side, whose in ((real, "reals"), (fake, "fakes")):
        if fault := side.fault():
            raise UserError(f"{what} cannot be had: the features of the {whose} {fault}")
    if real.dim != fake.dim:
        raise UserError(f"features of length {real.dim} and {fake.dim} cannot be compared; use one extractor for both")
    if real.num < least_real or fake.num < least_fake:
        raise UserError(
            f"{what} needs at least {least_real} reals and {least_fake} fakes; got {real.num} and {fake.num}"
        )


def not_finite(count: int) -> str:
    """The fault of a side with values that are no finite numbers."""
    return f"are not finite ({count} values); the generator probably diverged" if count else ""
