"""Where a command writes that was not told where: never over what another command line wrote."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylegenes.cli.console import say
from stylegenes.errors import UserError
from stylegenes.pictures import STILLS
from stylegenes.sheets import MOVING, claim_folder, free_path, read_sheet, texts_of
from stylegenes.words import command

if TYPE_CHECKING:
    from stylegenes.analysis.exhibits import Exhibit
    from stylegenes.analysis.outcomes import Outcome
    from stylegenes.model import Model

_NOT_MADE_BY = ("out", "device", "devices")
"""Options that change nothing about what is made."""


def made_by(args: Any) -> str:
    """The command line of a verb's `Args` in one form: positional arguments, then options that are not defaults."""
    verb = type(args).__module__.rpartition(".")[2]
    positional = [getattr(args, field.name) for field in dataclasses.fields(args) if _is_positional(field)]
    named = [str(one) for value in positional for one in (value if isinstance(value, list | tuple) else [value])]
    return command(verb, *named, *_options(args))


def _is_positional(field: dataclasses.Field[Any]) -> bool:
    return "Positional" in str(field.type)


def _options(args: Any) -> Iterator[str]:
    """Options that are not defaults; those of a group stand among the others, as they are typed."""
    for field in dataclasses.fields(args):
        value, flag = getattr(args, field.name), field.name.replace("_", "-")
        made = field.default_factory
        default = field.default if made is dataclasses.MISSING else made()
        if dataclasses.is_dataclass(value):
            yield from _options(value)
        elif _is_positional(field) or field.name in _NOT_MADE_BY or value == default:
            continue
        elif isinstance(value, bool):
            yield f"--{flag}" if value else f"--no-{flag}"
        else:
            yield from (f"--{flag}={one}" for one in (value if isinstance(value, list | tuple) else [value]))


def picture_place(args: Any, default: str | Path, beside: tuple[str, ...] = ()) -> Path:
    """`--out`, or else the default name or the next free one after it; `beside` are suffixes of files written along.

    Raises:
        UserError: when a file beside `--out` would be replaced that came with no picture of ours.
    """
    if args.out is not None:
        check_beside(args.out, beside)
        return args.out
    return free_path(_here(default), made_by(args), beside)


def folder_place(args: Any, default: str) -> Path:
    """`--out`, or else the default folder, or the next free one after it; the same command finds its own again."""
    return args.out or claim_folder(_here(default), made_by(args))


def check_beside(picture: Path, suffixes: tuple[str, ...]) -> None:
    """See that files which are written beside a picture replace none that the user did not name.

    What is there already may be replaced where it came with a picture of ours, of the same name in any format, or lists
    codes as ours do.

    Raises:
        UserError: names the file.
    """
    named = map(picture.with_suffix, suffixes) if picture.name else ()
    others = [place for place in named if place != picture and place.exists() and not _lists_codes(place)]
    if others and not any("Model" in texts_of(picture.with_suffix(suffix)) for suffix in (*STILLS, *MOVING)):
        raise UserError(
            f"{others[0]} would be replaced: {picture.name} comes with a file of that name; give another --out, or "
            "remove it"
        )


def check_exhibit_place(args: Any, also: tuple[str, ...] = ()) -> None:
    """See that an exhibit can be written to `--out`, before it is made.

    Args:
        args: of the verb.
        also: suffixes of what the verb writes beside it.

    Raises:
        UserError: when `--out` is no .png, or a file beside it would be replaced.
    """
    from stylegenes.analysis.exhibits import Exhibit

    if args.out is not None:
        check_beside(png_place(args.out), (*Exhibit.beside, *also))


def _lists_codes(place: Path) -> bool:
    with suppress(UserError):
        return place.suffix == ".json" and bool(read_sheet(place).codes)
    return False


def _here(default: str | Path) -> Path:
    """A default name as one of this folder, whatever stands on the card of a model from elsewhere."""
    return default if isinstance(default, Path) else Path(re.sub(r"[/\\\0]", "_", default))


def show_exhibit(args: Any, model: Model, exhibit: Exhibit, made: str | None = None) -> Path:
    """Write an exhibit, as the picture `--out` or among the model's others, and say where.

    Args:
        args: of the verb.
        model: whose pictures it shows.
        exhibit: what is written.
        made: what it depends on, where that is less than the whole command line.

    Raises:
        UserError: when `--out` is no .png.
    """
    by = made_by(args) if made is None else made
    out = getattr(args, "out", None)
    place = png_place(out) if out is not None else model.study.place(exhibit, by)
    picture = exhibit.save(place.parent, place.stem, model.shown_origin.made(by))
    say(f"{exhibit.words.title}: {picture}, with a table beside it")
    return picture


def show_outcome(args: Any, model: Model, outcome: Outcome) -> None:
    """Write an outcome's exhibit as `show_exhibit` does, and say what there is to say.

    Raises:
        UserError: when `--out` is no .png.
    """
    show_exhibit(args, model, outcome.exhibit)
    for line in outcome.lines:
        say(line)


def png_place(out: Path) -> Path:
    """Where a figure goes.

    Raises:
        UserError: when it does not end in .png.
    """
    if out.suffix.lower() != ".png":
        raise UserError(f"--out {out} must end in .png")
    return out


def still_place(out: Path) -> Path:
    """Where a picture goes.

    Raises:
        UserError: when it does not end as a picture does.
    """
    if out.suffix.lower() not in STILLS:
        raise UserError(f"--out {out} must end in {' or '.join(STILLS)}")
    return out
