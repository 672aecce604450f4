"""The command line that a picture carries is one that can be pasted."""

import importlib
import shlex
from dataclasses import replace

import pytest

from stylegenes.cli.places import made_by
from stylegenes.cli.usage import parse

LINES = [
    "sample m --seeds 0-3,9 --psi 0.7:8 --out a.png",
    "sample 'a folder/m' --where 'Smiling=1,Hat=0@0.3' --temperature 0.3 -n 5",
    "sample m --codes=-x --noise random --device cpu",
    "sample m --yaw 30 --fov 12.5 --label Smiling,Male=0.5",
    "edit m --seed 3 --set Smiling=1 --hold Young",
    "report m --fresh --seed 4",
    "stats m --attributes Smiling,Hat --fdr 0.1",
    "breed m --parents 3,8 --mutation 0",
    "noise m --seeds 0-3",
]


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_comes_back_from_what_it_made(line):
    verb, *words = shlex.split(line)
    module = importlib.import_module(f"stylegenes.cli.{verb}")
    given = parse(module.Args, "stylegenes", None, words)
    made = made_by(given)
    assert "(" not in made
    name, again, *words = shlex.split(made)
    assert (name, again) == ("stylegenes", verb)
    # Where it goes and on what device change nothing about what is made.
    kept = {key: getattr(given, key) for key in ("out", "device") if hasattr(given, key)}
    assert replace(parse(module.Args, "stylegenes", None, words), **kept) == given
