"""Arguments that do not parse, in a sentence: what was given, what is allowed, what to do."""

from __future__ import annotations

import dataclasses
import importlib
import math
import re
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn, get_args

from stylegenes.errors import UserError
from stylegenes.files import check_writable
from stylegenes.words import counted, did_you_mean, nearest

USAGE = 2
"""Exit status for arguments that do not parse."""
_KINDS = {"INT": "a whole number", "FLOAT": "a number"}
_PLACES = ("out", "folder", "onnx", "pt2", "sheet", "to")
"""Options and arguments that say where a command writes."""
_SHORT = {"out": "-o"}
"""Short names of options."""
_DASH = "a path that begins with a dash is written ./-name"
_LARGEST_SEED = 2**63 - 1
_MOST = 10**9
"""Of anything that an option counts."""


def parse(args: Any, prog: str, description: str | None, argv: Sequence[str]) -> Any:
    """An instance of `args`, a dataclass or a union of them, from a command line.

    Args:
        args: the type of what comes out.
        prog: the command as it is typed, for messages.
        description: for `--help`; the type's docstring where None.
        argv: words after the command.

    Raises:
        SystemExit: 0 for `--help`; 2 for arguments that do not parse, after a sentence on standard error.
        UserError: for an empty path, a seed that no generator takes, or a number that is none.
        OSError: for a place that cannot be written.
    """
    import tyro

    with _in_sentences(_Explainer(args, prog, argv)):
        parsed = tyro.cli(args, prog=prog, description=description, args=list(argv))
    _check_paths(parsed, argv)
    for name in _PLACES:
        place = getattr(parsed, name, None)
        if isinstance(place, Path):
            check_writable(place)
    _check_numbers(parsed)
    return parsed


def _check_paths(parsed: Any, argv: Sequence[str]) -> None:
    """Refuse empty paths, which `Path` takes for the current folder; a shell makes them of variables that are unset."""
    for field in dataclasses.fields(parsed):
        value, option = getattr(parsed, field.name), f"--{field.name.replace('_', '-')}"
        if dataclasses.is_dataclass(value):
            _check_paths(value, argv)
        elif value != Path():
            continue
        elif "Positional" not in str(field.type):
            _refuse_empty(option, _values(option, _SHORT.get(field.name), argv))
        elif field.name in _PLACES:
            _refuse_empty(field.name.upper(), argv)


def _refuse_empty(name: str, given: Sequence[str]) -> None:
    if "" in given:
        raise UserError(f"{name} is empty, as a shell variable that is not set is; give a path")


def _values(option: str, short: str | None, argv: Sequence[str]) -> list[str]:
    """What a command line gives to an option: in the next word, or after `=`."""
    names = [name for name in (option, short) if name is not None]
    after = [value for word, value in pairwise(argv) if word in names]
    return after + [word.partition("=")[2] for word in argv if word.partition("=")[0] in names and "=" in word]


def _check_numbers(parsed: Any) -> None:
    """Refuse numbers that no option can mean: seeds without a generator, counts beyond all patience, nan and inf."""
    for field in dataclasses.fields(parsed):
        value, name = getattr(parsed, field.name), f"--{field.name.replace('_', '-')}"
        if dataclasses.is_dataclass(value):
            _check_numbers(value)
        elif field.name == "seed" and isinstance(value, int):
            if not 0 <= value <= _LARGEST_SEED:
                raise UserError(f"--seed is {value}; a seed is a whole number from 0 to 2^63 - 1")
        elif isinstance(value, int) and abs(value) > _MOST:
            raise UserError(f"{name} is {value}; at most {_MOST:,} is possible")
        elif isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{name} is {value}, which is no finite number")


class _Explainer:
    """Says what is wrong with a command line and ends the process; events it does not know are left to tyro."""

    def __init__(self, args: Any, prog: str, argv: Sequence[str]) -> None:
        given = get_args(args) or (args,)
        parts = [getattr(part, "__origin__", part) for part in given]
        self.subcommands = [part.__metadata__[0].name for part in given] if len(given) > 1 else []
        self.part = [word for word in argv[:1] if word in self.subcommands]
        self.prog, self.argv = " ".join([prog, *self.part]), argv
        fields = [field for part in parts for field in part.__dataclass_fields__.values()]
        self.options = [field.name.replace("_", "-") for field in fields if "Positional" not in str(field.type)]

    def __call__(self, event: Any) -> None:
        tell = getattr(self, f"_{type(event).__name__}", None)
        if tell is not None:
            sentence = tell(event).rstrip(".")
            _complain(f"{sentence}{'' if sentence.endswith('?') else ';'} {self.prog} --help shows all arguments")

    def _MissingArgs(self, event: Any) -> str:
        missing = [f"{_name(one.arg)} ({_help(one.arg)})" for one in event.missing_arguments]
        return f"{self.prog} also needs {', and '.join(missing)}"

    def _MissingSubcommand(self, event: Any) -> str:
        return f"{self.prog} is followed by one of {', '.join(self.subcommands)}"

    def _BadValue(self, event: Any) -> str:
        name = _name(event.argument)
        unknown = [
            word for word in self.argv if word.startswith("--") and word[2:].partition("=")[0] not in self.options
        ]
        if unknown and not name.startswith("-"):
            return self._unknown(unknown[0])
        hint = "" if name.startswith("-") else f" ({_DASH})"
        return f"{name} has no value{hint}; {_help(event.argument)}"

    def _InvalidChoice(self, event: Any) -> str:
        return f"{_name(event.argument)} is {event.value!r}{did_you_mean(event.value, _without_none(event.choices))}"

    def _UnrecognizedArgs(self, event: Any) -> str:
        first = event.tokens[0]
        if first.startswith("-"):
            return self._unknown(first)
        if self.subcommands and not self.part:
            return f"{self.prog} has no part {first!r}{did_you_mean(first, self.subcommands, 'parts')}"
        return f"{self.prog} does not know what to do with {counted(len(event.tokens), 'word')} too many: {first!r}"

    def _unknown(self, word: str) -> str:
        name = word.partition("=")[0]
        if not name.startswith("--"):
            return f"{self.prog} has no option {name} ({_DASH})"
        meant = nearest(name.strip("-"), self.options)
        return f"{self.prog} has no option {name}{'' if meant is None else f'; did you mean --{meant}?'}"

    def _InstantiationFailure(self, event: Any) -> str:
        if event.argument is None:
            return event.message.splitlines()[0]
        given = re.search(r"from \['(.*?)'\]", event.message) or re.search(r"'([^']*)'\s*$", event.message)
        metavar = event.argument.lowered.metavar or ""
        kinds = [_KINDS.get(kind, kind) for kind in metavar.split("|") if kind != "{None}"]
        value = f" is {given.group(1)!r}, which" if given else ""
        return f"{_name(event.argument)}{value} is not {' or '.join(kinds)}; {_help(event.argument)}"


def _name(argument: Any) -> str:
    """`--out` for an option, the word of the usage line for a positional argument."""
    name = argument.lowered.name_or_flags[-1]
    if not argument.is_positional():
        return name
    return name.rpartition(".")[2].lstrip("-").replace("_", "-").upper()


def _help(argument: Any) -> str:
    return str(argument.field.helptext() if callable(argument.field.helptext) else argument.field.helptext or "")


def _without_none(choices: Sequence[str]) -> list[str]:
    return sorted(choice for choice in choices if choice != "None")


def _complain(sentence: str) -> NoReturn:
    sys.stderr.write(f"error: {sentence}\n")
    raise SystemExit(USAGE)


def _in_sentences(explainer: _Explainer) -> AbstractContextManager[None]:
    """The parser's hook for errors, where this version of it has one; else its own boxes are shown."""
    try:
        return importlib.import_module("tyro._errors").on_parse_error(explainer)
    except (ImportError, AttributeError):
        return nullcontext()
