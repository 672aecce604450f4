"""Imports only go down: the layer rule of the architecture, checked on the syntax tree of every file."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "stylegenes"

LAYERS = [
    {"errors", "words", "records", "registry", "cameras", "files", "pictures", "layers", "ops", "progressive"}
    | {"devices", "partials", "processes", "sealed", "shape", "size", "bounds", "sound", "version", "caches"}
    | {"csv_tables", "progress", "shares", "cluster_options", "picture_text"},
    {"latents", "synthesis", "discriminators", "perception"},
    {"generator", "data", "hub"},
    {"snapshot", "drawing", "volumes", "sheets", "styles", "classified", "draws", "survey", "interop"},
    {"training", "metrics", "analysis", "inversion"},
    {"recipes", "notation", "walks", "arguments"},
    {"model", "choice", "loaded", "studio", "sampling", "analyses", "comparisons", "solids", "ablations"}
    | {"publishing", "reproduction", "sharing", "clusters"},
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
    ("words", "errors"),
    ("ops", "words"),
    ("files", "errors"),
    ("files", "partials"),
    ("partials", "processes"),
    ("files", "shape"),
    ("bounds", "errors"),
    ("registry", "bounds"),
    ("registry", "shape"),
    ("caches", "errors"),
    ("shares", "errors"),
    ("cluster_options", "errors"),
    ("cluster_options", "words"),
    ("clusters", "reproduction"),
    ("csv_tables", "errors"),
    ("csv_tables", "files"),
    ("caches", "files"),
    ("sealed", "errors"),
    ("sealed", "files"),
    ("shape", "errors"),
    ("shape", "words"),
    ("size", "errors"),
    ("size", "shape"),
    ("progressive", "size"),
    ("layers", "size"),
    ("pictures", "errors"),
    ("pictures", "files"),
    ("pictures", "sound"),
    ("pictures", "picture_text"),
    ("sound", "errors"),
    ("sound", "files"),
    ("walks", "notation"),
    ("arguments", "notation"),
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
    ("survey", "classified"),
    ("survey", "draws"),
    ("drawing", "snapshot"),
    ("sheets", "drawing"),
    ("styles", "drawing"),
    ("model", "choice"),
    ("model", "loaded"),
    ("publishing", "model"),
    ("publishing", "choice"),
    ("sampling", "studio"),
    ("sampling", "choice"),
    ("sampling", "loaded"),
    ("sampling", "solids"),
    ("solids", "choice"),
    ("analyses", "sampling"),
    ("analyses", "loaded"),
    ("analyses", "comparisons"),
    ("comparisons", "loaded"),
    ("model", "analyses"),
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


def module_name(path: Path, root: Path = ROOT) -> str:
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_files(path: Path, modules: set[str]) -> set[str]:
    """The modules that a file imports, wherever it does: at its top, in a function, or for type checkers alone.

    `from a.b import c` is an import of `a.b.c` where that is a module, else of `a.b`. A package's `__init__` counts
    only where a name is taken from it, not as the parent that Python runs on the way to a module inside it.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else node.module for name in inside}
    return found & modules


def import_circle(root: Path) -> list[str]:
    """Modules of a package that import one another in a circle, the first one found; [] where there is none."""
    paths = {module_name(path, root): path for path in root.rglob("*.py")}
    graph = {name: imported_files(path, set(paths)) - {name} for name, path in paths.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_file_imports_another_in_a_circle():
    assert import_circle(ROOT) == []


@pytest.mark.parametrize(
    "back",
    ["import toy.a", "def f():\n    from toy.a import g", "if TYPE_CHECKING:\n    from toy import a"],
    ids=["at the top", "in a function", "for type checkers"],
)
def test_a_circle_is_found_wherever_the_import_stands(tmp_path, back):
    (tmp_path / "toy").mkdir()
    for name, text in {"__init__": "", "a": "from toy.b import f", "b": back, "c": "import toy.a"}.items():
        (tmp_path / "toy" / f"{name}.py").write_text(text)
    assert sorted(set(import_circle(tmp_path / "toy"))) == ["toy.a", "toy.b"]
    (tmp_path / "toy" / "b.py").write_text("")
    assert import_circle(tmp_path / "toy") == []


def test_the_rule_itself_refuses_what_goes_up_or_sideways():
    assert refused("ops", "generator")
    assert refused("training", "metrics")
    assert refused("latents", "synthesis")
    assert not refused("cli", "training")
    assert not refused("discriminators", "perception")
