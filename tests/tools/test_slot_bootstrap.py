"""The way onto a bare machine: what is downloaded, what is installed there, and what is left alone."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stylegenes.cli import slot

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "slot.py"
spec = importlib.util.spec_from_file_location("slot_bootstrap", SCRIPT)
assert spec is not None and spec.loader is not None
bootstrap = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bootstrap)


def names_of(command: list[str]) -> set[str]:
    return {word.split("==")[0] for word in command if re.match(r"[a-z0-9-]+==", word)}


def test_it_imports_nothing_that_python_does_not_bring():
    found = re.findall(r"^\s*(?:import|from) ([a-z_]+)", SCRIPT.read_text(), re.MULTILINE)
    assert set(found) <= {*sys.stdlib_module_names, "pip", "__future__"}


def test_everything_but_torch_is_fetched_for_the_other_python(tmp_path):
    command = bootstrap.download_command(tmp_path, "3.12", train_only=False)
    names = names_of(command)
    assert {"numpy", "scipy", "lightning-fabric", "resvg-py", "tyro", "typing-extensions"} <= names
    assert not [name for name in names if name.startswith(("torch", "nvidia", "triton", "tensorboard"))]
    assert "--python-version=3.12" in command and "--no-deps" in command
    few = names_of(bootstrap.download_command(tmp_path, "3.12", train_only=True))
    assert few < names and "scipy" not in few and "dicebear-core" in few


def test_what_only_the_other_machine_needs_is_fetched_too(tmp_path, monkeypatch):
    """Whatever Python and system this one has: a package that is needed there alone is not installed here."""
    needed = ['odd-thing>=2,<3; python_version < "3.12"', 'winged; sys_platform == "win32"', "numpy"]
    monkeypatch.setattr(bootstrap, "requirements", lambda: needed)
    old = bootstrap.download_command(tmp_path, "3.11", train_only=False)
    new = bootstrap.download_command(tmp_path, "3.12", train_only=False)
    assert [word for word in old if word.startswith("odd-thing")] in (["odd-thing<3,>=2"], ["odd-thing>=2,<3"])
    assert not [word for word in (*new, *old) if word.startswith("winged")]
    assert set(new) < {*old, "--python-version=3.12"} and "numpy" in names_of(new)


def test_only_what_is_missing_or_too_old_is_installed(tmp_path, monkeypatch):
    for name in ("torch-2.13.0", "nvidia_cublas-1.0", "numpy-9.9", "unknown_thing-1.0", "pillow-99.0"):
        (tmp_path / f"{name}-py3-none-any.whl").touch()
    installed = bootstrap.metadata.version
    monkeypatch.setattr(bootstrap.metadata, "version", lambda name: "1.0" if name == "pillow" else installed(name))
    command = bootstrap.install_command(tmp_path)
    chosen = {Path(word).name.split("-")[0] for word in command if word.endswith(".whl")}
    assert chosen == {"unknown_thing", "pillow"}
    assert {"--no-index", "--no-deps"} <= set(command)
    assert bootstrap.install_command(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["work", "--minutes", "9"], ["work", "--minutes=8.500"]),
        (["work", "--minutes=9", "--fakes", "3"], ["work", "--minutes=8.500", "--fakes", "3"]),
        (["work", "--minutes", "0.1", "--fakes", "3"], ["work", "--minutes=0.050", "--fakes", "3"]),
        (["work", "--minutes", "0"], ["work", "--minutes", "0"]),
        (["work", "--minutes=0"], ["work", "--minutes=0"]),
        (["work"], ["work", "--minutes=8.500"]),
        (["work", "--minutes", "nine"], ["work", "--minutes", "nine"]),
        (["work", "--minutes"], ["work", "--minutes"]),
    ],
)
def test_installing_takes_its_time_from_the_slot(given, expected):
    assert bootstrap.shortened(given, 30.0) == expected
    assert slot.Args.minutes == float(bootstrap.MINUTES)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--wheels", "nowhere", "work"], "nowhere is no folder"),
        (["--download", "nowhere", "work", "--minutes", "9"], "fetches and ends"),
        (["--download", "nowhere", "--wheels", "."], "fetches and ends"),
        (["--download", "nowhere", "--python", "new"], "no version of Python"),
    ],
)
def test_words_that_contradict_each_other_are_refused(words, complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        bootstrap.main(words)
    assert complaint in capsys.readouterr().err


def test_it_hands_over_to_the_command(tmp_path):
    """From any folder, without the package being installed for this checkout."""
    words = ["--wheels", str(tmp_path), "work", "--minutes", "0", "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1 and done.stderr.startswith("error: --minutes 0 leaves no time"), done.stderr
