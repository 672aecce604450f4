"""Imports only go down: the layer rule of the architecture, checked on the syntax tree of every file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "stylegenes"

LAYERS = [
    {"errors", "words", "records", "registry", "cameras", "files", "pictures", "layers", "ops", "progressive"}
    | {"devices", "partials", "processes", "sealed", "shape", "bounds"},
    {"latents", "synthesis", "discriminators", "perception"},
    {"generator", "data", "hub"},
    {"snapshot", "drawing", "volumes", "sheets", "styles", "survey", "interop"},
    {"training", "metrics", "analysis", "inversion"},
    {"recipes", "notation"},
    {"model", "choice", "loaded", "studio", "publishing", "reproduction"},
    {"cli", "explorer"},
]
SIDEWAYS = {
    ("layers", "ops"),
    ("layers", "errors"),
    ("records", "errors"),
    ("cameras", "errors"),
    ("registry", "errors"),
    ("registry", "words"),
    ("records", "words"),
    ("ops", "words"),
    ("files", "errors"),
    ("files", "partials"),
    ("partials", "processes"),
    ("files", "shape"),
    ("bounds", "errors"),
    ("registry", "bounds"),
    ("registry", "shape"),
    ("sealed", "errors"),
    ("sealed", "files"),
    ("shape", "errors"),
    ("shape", "words"),
    ("pictures", "errors"),
    ("pictures", "files"),
    ("ops", "errors"),
    ("devices", "errors"),
    ("devices", "words"),
    ("progressive", "errors"),
    ("progressive", "ops"),
    ("progressive", "layers"),
    ("discriminators", "perception"),
    ("interop", "snapshot"),
    ("survey", "snapshot"),
    ("survey", "drawing"),
    ("drawing", "snapshot"),
    ("sheets", "drawing"),
    ("styles", "drawing"),
    ("model", "choice"),
    ("model", "loaded"),
    ("publishing", "model"),
    ("publishing", "choice"),
    ("model", "studio"),
    ("studio", "choice"),
    ("studio", "loaded"),
    ("cli", "explorer"),
}
"""Pairs of one layer that may be imported in this direction."""

LAYER_OF = {room: index for index, rooms in enumerate(LAYERS) for room in rooms}
FILES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem not in ("__init__", "__main__"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Rooms of our own package that a file imports, wherever in the file; names of the package itself are no room."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == "stylegenes":
            modules |= {f"stylegenes.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules.add(node.module or "")
    parts = [module.split(".") for module in modules]
    return {part[1] for part in parts if part[0] == "stylegenes" and len(part) > 1} - {
        "UserError",
        "__version__",
        "load",
        "open",
        "Model",
    }


def refused(importer: str, imported: str) -> bool:
    if importer == imported:
        return False
    down = LAYER_OF[imported] < LAYER_OF[importer]
    return not down and (importer, imported) not in SIDEWAYS


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_go_down(path):
    room = room_of(path)
    assert room in LAYER_OF, f"{room} is a new room: give it a layer"
    wrong = sorted(other for other in imported_rooms(path) if refused(room, other))
    assert not wrong, f"{path.relative_to(ROOT)} (layer {LAYER_OF[room]}) imports {', '.join(wrong)}"


def test_no_relative_imports():
    relative = [
        str(path.relative_to(ROOT))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert relative == []


def test_the_rule_itself_refuses_what_goes_up_or_sideways():
    assert refused("ops", "generator")
    assert refused("training", "metrics")
    assert refused("latents", "synthesis")
    assert not refused("cli", "training")
    assert not refused("discriminators", "perception")
