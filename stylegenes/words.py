"""What sentences to people have in common: the name that was meant, and command lines that can be pasted."""

from __future__ import annotations

import difflib
import operator
import re
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import count, islice
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import SupportsIndex

from stylegenes.errors import UserError, shown

SYNONYMS = {"gpu": "cuda", "fid": "fd", "device": "accelerator"}
"""What people call a thing that has another name here, where spelling alone would lead them astray."""


def distinct(names: Iterable[str]) -> list[str]:
    """Names of files that stay apart wherever capitals count for nothing: `a`, `A`, `b` as `a`, `A-2`, `b`."""
    given, found = list(names), []
    wanted, taken = {name.casefold() for name in given}, set[str]()
    for name in given:
        numbered = (f"{name}-{number}" for number in count(2))
        free = (one for one in numbered if one.casefold() not in wanted | taken)
        found.append(name if name.casefold() not in taken else next(free))
        taken.add(found[-1].casefold())
    return found


def nearest(given: str, accepted: Iterable[str]) -> str | None:
    """The accepted name that `given` is most like, or a word of, whatever the case; None when none is near."""
    folded = {_fold(name): name for name in accepted}
    synonym = SYNONYMS.get(_fold(given), "")
    if synonym in folded:
        return folded[synonym]
    close = difflib.get_close_matches(_fold(given), folded, n=1)
    close += [name for name in folded if _fold(given) in re.split(r"[_-]", name)]
    return folded[close[0]] if close else None


def did_you_mean(given: str, accepted: Iterable[str], listed: str = "accepted") -> str:
    """The end of a sentence about an unknown name: `; did you mean 'b'? accepted: a, b`.

    Args:
        given: the unknown name.
        accepted: the known ones, in the order in which they are listed.
        listed: what the list is called; "" leaves the list out.
    """
    names = list(accepted)
    meant = nearest(given, names)
    hint = "" if meant is None else f"; did you mean {meant!r}?"
    if not listed or not names:
        return hint
    return f"{hint or ';'} {listed}: {', '.join(names)}"


def check_known(what: str, given: object, accepted: Iterable[str]) -> None:
    """Nothing, for one of the accepted names.

    Raises:
        UserError: for anything else; `what` it is begins the sentence.
    """
    names = list(accepted)
    if not isinstance(given, str) or given not in names:
        raise UserError(f"{what} {shown(repr(given))} is unknown{did_you_mean(str(given)[:100], names)}")


def check_names(what: str, given: str | Iterable[str], accepted: Iterable[str]) -> tuple[str, ...]:
    """Some of the accepted names; a lone one is taken as a list of itself.

    Raises:
        UserError: for none, or one that is unknown.
    """
    names, known = (given,) if isinstance(given, str) else tuple(given), list(accepted)
    if not names:
        raise UserError(f"no {what} was given; accepted: {', '.join(known)}")
    for name in names:
        check_known(what, name, known)
    return names


def joined(what: str, given: object) -> str:
    """Text with commas between, as a command line has it, of text, of a list, or of `{name: value}`.

    Raises:
        UserError: for anything else; `what` it is begins the sentence.
    """
    if isinstance(given, str | PathLike | Integral):
        return str(given)
    if isinstance(given, Mapping):
        return ",".join(f"{name}={_plain(value)}" for name, value in given.items())
    if not isinstance(given, Iterable):
        raise UserError(f"{what} are text with commas between, or a list; got {shown(repr(given))}")
    return ",".join(str(operator.index(one) if isinstance(one, SupportsIndex) else one) for one in given)


def _plain(value: object) -> object:
    """True, 1.0 and their kin of other libraries as 1."""
    with suppress(TypeError, ValueError, OverflowError):
        if not isinstance(value, str) and int(whole := float(value)) == whole:  # pyright: ignore[reportArgumentType]
            return int(whole)
    return value


def nearest_place(path: Path, names: Iterable[str] = ()) -> str | None:
    """A name from `names`, or else a path beside `path`, that was perhaps meant by a path where there is nothing."""
    meant = nearest(str(path), names)
    if meant is not None:
        return meant
    try:
        # Naming a neighbor must not take longer than the work itself in a folder of a million pictures.
        beside = [place.name for place in islice(path.parent.iterdir(), 10_000) if not place.name.startswith(".")]
    except OSError:
        return None
    meant = nearest(path.name, beside)
    return None if meant is None or meant == path.name else str(path.parent / meant)


def command(*parts: str | Path) -> str:
    """`stylegenes` with these arguments as a line to paste into a shell: every part is quoted where it has to be.

    A path that begins with a dash is written `./-name`, so that it is not taken for an option.
    """
    return shlex.join(["stylegenes", *map(_argument, parts)])


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 picture`, `2 pictures`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def sized(count: float) -> str:
    """A number of bytes, as `512 B`, `1.5 MiB` or `32.0 GiB`."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def _argument(part: str | Path) -> str:
    text = str(part)
    if isinstance(part, Path) and (address := re.match(r"(hf|https?|s3|gs|az):/+", text)):
        # A path drops the second slash of an address.
        text = f"{address[1]}://{text[address.end() :]}"
    return f"./{text}" if isinstance(part, Path) and text.startswith("-") else text


def _fold(name: str) -> str:
    return name.casefold().replace(" ", "_")
