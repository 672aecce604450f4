"""What people install: the wheel holds code, models and pages and nothing else, and the sdist builds the same wheel."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from stylegenes.cli.completion import script
from stylegenes.cli.main import VERBS

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ALLOWED = (
    r"stylegenes/([a-z0-9_]+/)*[a-z0-9_]+\.py",
    r"stylegenes/py\.typed",
    r"stylegenes/models/[a-z0-9-]+/(genes/)?[a-z]+\.(json|md|safetensors)",
    r"stylegenes/models/statistics/[0-9a-f]{16}\.safetensors",
    r"stylegenes/analysis/exhibits/page\.html\.jinja",
    r"stylegenes/explorer/page/(index\.html|icon\.svg|licenses\.txt|assets/[\w-]+\.(js|css)|runtime/ort\.wasm\.gz)",
    r"stylegenes-[0-9.]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/(LICENSE|NOTICE))",
)


def build(kind, place, source=ROOT):
    pytest.importorskip("hatchling")
    line = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(place)]
    subprocess.run(line, cwd=source, check=True, capture_output=True, timeout=200)
    (built,) = place.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def names_of(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_the_wheel_holds_code_models_and_pages_and_nothing_else(wheel):
    foreign = [name for name in names_of(wheel) if not any(re.fullmatch(one, name) for one in ALLOWED)]
    assert foreign == []


def test_the_wheel_lacks_nothing_of_the_package(wheel):
    here = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "stylegenes").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here <= names_of(wheel)


def test_the_wheel_says_what_it_needs_and_what_it_starts(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (about,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        metadata = archive.read(about).decode()
        starts = archive.read(about.replace("METADATA", "entry_points.txt")).decode()
    assert "stylegenes = stylegenes.cli.main:main" in starts
    for extra in PROJECT["optional-dependencies"]:
        assert f"Provides-Extra: {extra}" in metadata
    assert "Requires-Dist: torch<" in metadata
    assert wheel.stat().st_size < 40e6


def test_every_dependency_has_both_bounds():
    extras = (one for name, extra in PROJECT["optional-dependencies"].items() if name != "dev" for one in extra)
    bounds = r"[\w\[\]-]+(==[\d.]+|>=[\d.]+,<\d+)"
    assert [one for one in (*PROJECT["dependencies"], *extras) if not re.fullmatch(bounds, one)] == []


def test_the_sdist_builds_the_same_wheel(wheel, tmp_path):
    sdist = build("sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    again = build("wheel", tmp_path / "wheel", source)
    assert names_of(again) == names_of(wheel)
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert all(first.read(name) == second.read(name) for name in names_of(wheel))


def test_every_dependency_has_a_lower_bound_or_one_version():
    extras = [one for name, group in PROJECT["optional-dependencies"].items() if name != "dev" for one in group]
    for one in [*PROJECT["dependencies"], *extras]:
        assert re.fullmatch(r"(stylegenes\[[\w,]+\]|[\w\-\[\]]+(>=|==)[\d.]+(,<\d+)?)", one), one


def test_the_extras_that_messages_speak_of_exist():
    """`pip install 'stylegenes[hub]'` in a sentence to people must install something."""
    text = "\n".join(path.read_text() for path in (ROOT / "stylegenes").rglob("*.py"))
    text += "\n".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    named = {name for found in re.findall(r"stylegenes\[([a-z,]+)\]", text) for name in found.split(",")}
    assert named
    assert named <= PROJECT["optional-dependencies"].keys()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command_and_its_options(shell):
    text = script(shell)
    for verb in VERBS:
        assert re.search(rf"\b{verb}\b", text), verb
    assert "--keyframes" in text and "--temperature" in text


def test_bash_completes_commands_options_and_choices(tmp_path):
    (tmp_path / "stylegenes.bash").write_text(script("bash"))
    ask = """
    source stylegenes.bash
    found=$(complete -p stylegenes | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
    ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
            $found; echo "${COMPREPLY[@]}"; }
    ask stylegenes sam
    ask stylegenes sample avatars32 --see
    ask stylegenes walk avatars32 --ease ''
    """
    done = subprocess.run(["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["sample", "--seeds", "smooth linear"], done.stderr
