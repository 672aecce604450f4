"""`stylegenes VERB`: the table of verbs, and what every verb shares."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stylegenes.errors import UserError
from stylegenes.version import __version__
from stylegenes.words import did_you_mean


@dataclass(frozen=True)
class Verb:
    """One command. Its module `stylegenes.cli.<name>` has `Args` (one dataclass, or a union of them) and `run(args)`.

    Attributes:
        summary: the first line of the module's docstring.
        example: the first command line of its examples.
    """

    summary: str
    example: str


GROUPS = {
    "start": ("demo", "doctor", "completion"),
    "train and measure": ("data", "train", "slot", "evaluate", "nearest", "classifier", "fetch", "reproduce", "ablate"),
    "use a model": ("explore", "sample", "walk", "interpolate", "orbit", "mesh", "invert", "export", "import", "push"),
    "genes": ("survey", "stats", "edit", "breed", "prune", "tradeoff", "correlate", "evolution", "report"),
    "latent space": ("directions", "move", "pca", "noise"),
}
"""The verbs in the order of `stylegenes --help`."""


def _described(name: str) -> Verb:
    """A verb by the docstring of its module, which is read and not imported: `--help` must not wait for torch."""
    text = Path(__file__).with_name(f"{name.replace('-', '_')}.py").read_text(encoding="utf-8").split('"""')[1]
    example = next(line.strip() for line in text.splitlines() if line.startswith(f"  stylegenes {name}"))
    return Verb(text.splitlines()[0], example.split("  ")[0])


VERBS: dict[str, Verb] = {name: _described(name) for group in GROUPS.values() for name in group}

USAGE, FAILED, INTERRUPTED = 2, 1, 130


def main() -> None:
    """Entry point of the `stylegenes` command; ends the process with 0, 1 (error), 2 (usage) or 130 (interrupted)."""
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Run one command line and return its exit status. A user's mistake is printed without a traceback."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        sys.stdout.write(help_text())
        return 0
    if argv[0] in ("--version", "-V"):
        sys.stdout.write(f"stylegenes {__version__}\n")
        return 0
    if argv[0] not in VERBS:
        return _complain(f"there is no command {argv[0]!r}{did_you_mean(argv[0], sorted(VERBS), 'commands')}", USAGE)
    try:
        call(argv[0], argv[1:])
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe (`| head`) has left; the interpreter must not try to flush into it on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (UserError, OSError) as error:
        if os.environ.get("STYLEGENES_TRACEBACK"):
            raise
        return _complain(_describe(error), FAILED)
    except (MemoryError, RuntimeError) as error:
        if os.environ.get("STYLEGENES_TRACEBACK") or not _is_out_of_memory(error):
            raise
        what = next(iter(str(error).splitlines()), "")
        return _complain(
            f"there is not enough memory for this ({what or 'nothing more is known'}); ask for smaller or fewer things "
            "at a time",
            FAILED,
        )
    return 0


def _is_out_of_memory(error: MemoryError | RuntimeError) -> bool:
    """Whether an allocation failed; torch has no class of its own for main memory."""
    told = str(error).lower()
    return isinstance(error, MemoryError) or "allocate memory" in told or "out of memory" in told


def call(verb: str, argv: list[str]) -> None:
    """Parse the arguments of `verb` and run it. Errors pass through.

    Raises:
        SystemExit: for `--help` (0) and for arguments that do not parse (2).
    """
    from stylegenes.cli.usage import parse

    module = importlib.import_module(f"stylegenes.cli.{verb.replace('-', '_')}")
    argv = _renamed(argv, getattr(module, "RENAMED", {}))
    args = parse(module.Args, f"stylegenes {verb}", module.__doc__, argv)
    module.run(args)


def _renamed(argv: list[str], names: Mapping[str, str]) -> list[str]:
    """The command line with options by their present names; says so where an old one was given."""
    words = []
    for word in argv:
        name, equals, value = word.partition("=")
        if name in names:
            sys.stderr.write(f"note: {name} is called {names[name]} now; the old name goes with the next release\n")
        words.append(names.get(name, name) + equals + value)
    return words


def help_text() -> str:
    """What `stylegenes --help` prints: every verb with one line, then an example of each."""
    width = max(map(len, VERBS))
    lines = ["stylegenes: style-based GANs whose latent space is a genome", "", "usage: stylegenes COMMAND [options]"]
    for group, names in GROUPS.items():
        lines += ["", f"{group}:", *(f"  {name:<{width}}  {VERBS[name].summary}" for name in names)]
    lines += ["", "examples:", *(f"  {verb.example}" for verb in VERBS.values())]
    lines += ["", "stylegenes COMMAND --help lists a command's options; stylegenes --version prints the version."]
    return "\n".join(lines) + "\n"


def _describe(error: UserError | OSError) -> str:
    if isinstance(error, FileNotFoundError) and error.filename and error.strerror == os.strerror(error.errno or 0):
        return f"there is no file or folder {error.filename}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"error: {message}\n" if status != INTERRUPTED else f"{message}\n")
    return status
