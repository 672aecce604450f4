"""Files beside the package: what the Dockerfile does is what the README tells, and versions agree."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README, DOCKERFILE = (ROOT / "README.md").read_text(), (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def instructions():
    """(word, rest) of every instruction, lines joined and comments left out."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def told(word):
    """Command lines of the README that begin so."""
    return [line[2:].split("  #")[0] for line in README.splitlines() if line.startswith(f"$ {word}")]


def plain(command):
    return [word for word in shlex.split(command) if word not in ("--no-cache-dir",)]


def test_the_image_is_made_by_the_commands_of_the_readme():
    runs = [plain(rest) for word, rest in instructions() if word == "RUN"]
    for line in (*told("python3 -m venv"), *told("env/bin/pip")):
        assert plain(line) in runs, f"the README tells {line!r}, and the Dockerfile does something else"
    installs = [run for run in runs if "install" in run and "pip" in run[0]]
    assert len(installs) == len(told("env/bin/pip")) == 1


def test_arguments_that_the_readme_gives_a_build_are_declared():
    declared = dict(rest.partition("=")[::2] for word, rest in instructions() if word == "ARG")
    assert declared["BASE"]
    builds = told("docker build")
    assert len(builds) == 2
    for line in builds:
        given = re.findall(r"--build-arg (\w+)=", line)
        assert set(given) <= declared.keys()
        assert line in DOCKERFILE, "the first lines of the Dockerfile say the same"
    words = [word for word, _ in instructions()]
    assert words[0] == "ARG" and instructions()[1] == ("FROM", "${BASE}"), "the base is an argument"


def test_the_image_starts_the_command_and_gets_what_it_copies():
    found = dict(instructions())
    assert found["ENTRYPOINT"] == '["stylegenes"]'
    ignored = (ROOT / ".dockerignore").read_text().split()
    for word, rest in instructions():
        if word == "COPY":
            for name in rest.split()[:-1]:
                assert (ROOT / name).exists(), f"the Dockerfile copies {name}"
                assert name not in ignored
    needed = {PROJECT["readme"], *PROJECT["license-files"]}
    copied = {name for word, rest in instructions() if word == "COPY" for name in rest.split()}
    assert needed <= copied, "the build reads these"


@pytest.mark.parametrize("name", ["CITATION.cff", "CHANGELOG.md"])
def test_the_version_is_the_projects(name):
    assert PROJECT["version"] in (ROOT / name).read_text()


def test_the_citation_has_what_the_format_asks_for():
    text = (ROOT / "CITATION.cff").read_text()
    for key in ("cff-version: 1.2.0", "message: ", "title: ", "authors:", f"license: {PROJECT['license']}"):
        assert re.search(f"^{re.escape(key)}", text, re.MULTILINE), key


def test_every_make_target_that_documents_name_exists():
    makefile = (ROOT / "Makefile").read_text()
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    named = {name for path in documents for name in re.findall(r"(?:^\$ |`)make ([a-z]+)", path.read_text(), re.M)}
    assert {"demo", "test", "slow"} <= named
    for name in named:
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), f"make {name}"


def test_nothing_is_kept_that_a_command_leaves_behind():
    """Runs, caches and sessions of the explorer are ignored, and none of them was added all the same."""
    listed = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    assert subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout == ""
    left = ["avatars32-explorer.sqlite", "stylegenes-demo/run/log.txt", "runs/0001/log.txt"]
    told = subprocess.run(["git", "check-ignore", *left], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told.split() == left
