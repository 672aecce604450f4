"""commands, options and choices by the Tab key, in bash and zsh

Examples:
  stylegenes completion bash > ~/.local/share/bash-completion/completions/stylegenes
  stylegenes completion zsh > ~/.zfunc/_stylegenes              with fpath+=~/.zfunc before compinit in ~/.zshrc

A new shell has it. Write it again after an update, since the script knows the options of the version that wrote it.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union

import tyro


@dataclass(frozen=True)
class Args:
    """Print a script that completes commands, options and choices by the Tab key."""

    shell: tyro.conf.Positional[Literal["bash", "zsh", "tcsh"]]
    """bash, zsh or tcsh"""


def run(args: Args) -> None:
    """Print the script."""
    sys.stdout.write(script(args.shell))


def script(shell: str) -> str:
    """The script of a shell, from the arguments of every verb."""
    import contextlib
    import io

    from stylegenes.cli.main import VERBS

    parts: list[Any] = []
    for name, verb in VERBS.items():
        args = importlib.import_module(f"stylegenes.cli.{name.replace('-', '_')}").Args
        parts.append(Annotated[args, tyro.conf.subcommand(name=name, description=verb.summary)])
    text = io.StringIO()
    # The parser prints the script and ends the process.
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        verbs: Any = Union[tuple(parts)]  # noqa: UP007
        tyro.cli(verbs, prog="stylegenes", args=["--tyro-print-completion", shell])
    return text.getvalue()
