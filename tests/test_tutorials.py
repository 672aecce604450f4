"""The notebooks of docs/tutorials run from top to bottom in an empty folder; all together take seconds."""

import ast
import json
import time
from pathlib import Path

import pytest
import torch

from stylegenes.synthesis import SYNTHESES

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "docs" / "tutorials").glob("*.ipynb"))
SECONDS = 90
"""Of processor time, all notebooks together."""
spent = []


def cells(path, kind):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    # What a notebook registers is gone after it, as it is with its process.
    monkeypatch.setattr(SYNTHESES, "_classes", dict(SYNTHESES._classes))
    begin, namespace = time.process_time(), {"__name__": "__main__"}
    for number, cell in enumerate(cells(path, "code"), 1):
        last = run_cell(cell, f"{path.name}, cell {number}", namespace)
        if hasattr(last, "_repr_png_"):
            assert last._repr_png_()[:4] == b"\x89PNG", "what ends a cell shows itself"
    spent.append(time.process_time() - begin)


def run_cell(cell, name, namespace):
    """Run a cell; the value of its last line where that is an expression."""
    tree = ast.parse(cell, name)
    tail = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    return eval(compile(ast.Expression(tail.value), name, "eval"), namespace) if tail else None


def test_all_together_are_quick():
    if len(spent) == len(NOTEBOOKS) >= 6 and torch.get_num_threads() == 1:
        assert sum(spent) < SECONDS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_ready_for_colab_and_carries_no_output(path):
    notebook = json.loads(path.read_text())
    assert notebook["nbformat"] == 4 and notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in notebook["cells"])
    assert "pip" in cells(path, "code")[0] and "stylegenes" in cells(path, "code")[0]
    assert cells(path, "markdown")[0].startswith("# ")
