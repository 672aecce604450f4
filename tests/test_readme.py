"""What the documents tell people to type must be accepted; what they show in Python must run."""

import importlib
import re
import shlex
from pathlib import Path

import pytest
import tyro

from stylegenes.cli import demo
from stylegenes.cli.main import VERBS
from stylegenes.snapshot import MODELS, read_card

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def _commands(text):
    """Command lines in console blocks and in indented examples, without their comments."""
    joined = re.sub(r"\\\n\s*", " ", text)
    for line in joined.splitlines():
        found = re.match(r"\s*\$?\s*(stylegenes [a-z].*)", line)
        if found:
            yield re.sub(r"\s{2,}.*$", "", re.sub(r"\s+#.*$", "", found.group(1)))


def _all_commands():
    for document in DOCUMENTS:
        blocks = re.findall(r"```(?:console|bash|sh)\n(.*?)```", document.read_text(), re.DOTALL)
        yield from ((document.name, command) for block in blocks for command in _commands(block))
    for name, verb in VERBS.items():
        yield f"--help, {name}", verb.example
        module = importlib.import_module(f"stylegenes.cli.{name.replace('-', '_')}")
        yield from ((f"{name} --help", command) for command in _commands(module.__doc__ or ""))


COMMANDS = sorted(set(_all_commands()))


@pytest.mark.parametrize(("where", "command"), COMMANDS, ids=[f"{w}: {c}" for w, c in COMMANDS])
def test_every_command_that_is_shown_is_accepted(where, command):
    words = shlex.split(re.split(r" (?:\||&&|>) ", command)[0])
    assert words[1] in VERBS, f"{where} shows a command that does not exist"
    module = importlib.import_module(f"stylegenes.cli.{words[1].replace('-', '_')}")
    try:
        tyro.cli(module.Args, args=words[2:])
    except SystemExit as stopped:
        assert stopped.code == 0, f"{where} shows {command!r}, which does not parse"


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_command_has_at_most_twelve_flags(name):
    module = importlib.import_module(f"stylegenes.cli.{name.replace('-', '_')}")
    parts = getattr(module.Args, "__args__", (module.Args,))
    for part in parts:
        fields = getattr(getattr(part, "__origin__", part), "__dataclass_fields__", {})
        flags = [field.name for field in fields.values() if "Positional" not in str(field.type)]
        assert len(flags) <= 12, f"{name} has {len(flags)}: {flags}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("name", sorted(VERBS))
def test_help_keeps_the_lines_of_its_examples(name, monkeypatch, capsys):
    """Text that follows an example without an empty line between is glued to it."""
    module = importlib.import_module(f"stylegenes.cli.{name.replace('-', '_')}")
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit):
        tyro.cli(module.Args, prog=f"stylegenes {name}", description=module.__doc__, args=["--help"])
    shown = {line.rstrip() for line in capsys.readouterr().out.splitlines()}
    lost = [line for line in (module.__doc__ or "").splitlines() if line.rstrip() not in shown]
    assert not lost, f"stylegenes {name} --help does not show these lines of its own: {lost}"


def test_figures_of_the_models_in_the_package_are_those_of_their_cards():
    readme, trials = ((ROOT / name).read_text() for name in ("README.md", "docs/trials.md"))
    first, second = (read_card(MODELS / name).metrics for name in ("avatars32", "avatars32-mapping"))
    for name, digits in (("fd_lite0", 0), ("precision_lite0", 2), ("recall_lite0", 2)):
        word = name if name == "fd_lite0" else name.removesuffix("_lite0")
        wanted = f"{word} {first[name]:.{digits}f} and {second[name]:.{digits}f}"
        assert wanted in readme, f"the README does not say {wanted!r}"
    larger = read_card(MODELS / "avatars64").metrics
    told = ", ".join(
        f"{name.removesuffix('_lite0') if digits else name} {larger[name]:.{digits}f}"
        for name, digits in (("fd_lite0", 0), ("precision_lite0", 3), ("recall_lite0", 3))
    )
    assert told in readme and told in " ".join(trials.split()), f"told of avatars64: {told!r}"
    ends = re.findall(r"^\| fd_lite0 \|.*\| (\d+) \|$", trials, re.MULTILINE)
    assert {f"{metrics['fd_lite0']:.0f}" for metrics in (first, second)} <= set(ends), "docs/trials.md ends elsewhere"


def test_the_recipe_of_the_demo_is_told_as_such():
    table = (ROOT / "docs" / "training.md").read_text()
    (told,) = re.findall(r"^\| (\S+) \|.*the demo's.*\|$", table, re.MULTILINE)
    assert told == demo.RECIPE
    assert f"`{told}`" in (ROOT / "docs" / "trials.md").read_text()
