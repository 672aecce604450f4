"""A public function or class of more than three parameters says what each of them is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "stylegenes"
FILES = sorted(ROOT.rglob("*.py"))
MOST = 3
VERBS = {"get", "post", "put", "patch", "delete", "head", "websocket"}
ALLOWED = {"request": "the connection itself: a route's docstring is read by clients, who never send it"}
"""Parameters that a route need not name, and why."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def is_route(function: Function) -> bool:
    """Whether an address leads to the function, like `@router.get(...)`; such functions lie inside others."""
    calls = [one.func for one in function.decorator_list if isinstance(one, ast.Call)]
    return any(isinstance(call, ast.Attribute) and call.attr in VERBS for call in calls)


def public_functions(node: ast.AST, *, inside: bool = False) -> Iterator[Function]:
    """Functions, methods of public classes and routes; what else lies inside a function is its own affair."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            if is_route(child) or not (inside or child.name.startswith("_")):
                yield child
            yield from public_functions(child, inside=True)
        elif not (isinstance(child, ast.ClassDef) and child.name.startswith("_")):
            yield from public_functions(child, inside=inside)


def parameters(function: Function) -> list[str]:
    """Names of the parameters; of several unnamed ones, that of their tuple or dictionary."""
    given = function.args
    rest = [one for one in (given.vararg, given.kwarg) if one is not None]
    every = [one.arg for one in [*given.posonlyargs, *given.args, *given.kwonlyargs, *rest]]
    return [name for name in every if name not in ("self", "cls")]


def named(docstring: str) -> set[str]:
    """Words in backticks, and names at the head of a line of `Args:` or `Attributes:`."""
    quoted = re.findall(r"\w+", " ".join(re.findall(r"`[^`]*`", docstring)))
    sections = re.findall(r"^(?:Args|Attributes):\n((?:[ ]+.*\n?|\n)*)", docstring, re.MULTILINE)
    heads = re.findall(r"^ {4}(\w+(?:, \w+)*):", "\n".join(sections), re.MULTILINE)
    return {*quoted, *(name for head in heads for name in head.split(", "))}


def unnamed(function: Function) -> list[str]:
    """The parameters of a function of many that its docstring leaves out."""
    names = parameters(function)
    known = named(ast.get_docstring(function) or "") | (set(ALLOWED) if is_route(function) else set())
    return [name for name in names if name not in known] if len(names) > MOST else []


def constructors(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, ast.FunctionDef]]:
    """Public classes with the `__init__` that they write themselves."""
    for one in ast.walk(tree):
        if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
            for function in one.body:
                if isinstance(function, ast.FunctionDef) and function.name == "__init__":
                    yield one, function


def commented(function: Function, source: str) -> set[str]:
    """Parameters that a comment beside them explains, as registered networks have it for their help."""
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    ends = [*(one.lineno for one in given[1:]), function.body[0].lineno]
    lines = source.splitlines()
    return {
        one.arg for one, end in zip(given, ends, strict=True) if "  # " in "\n".join(lines[one.lineno - 1 : end - 1])
    }


def unexplained(source: str) -> dict[str, list[str]]:
    """By class, the parameters that neither its docstrings nor the comments beside them name."""
    found = {}
    for one, function in constructors(ast.parse(source)):
        texts = [ast.get_docstring(node) or "" for node in (one, function)]
        known = commented(function, source).union(*map(named, texts))
        missing = [name for name in parameters(function) if name not in known]
        if missing and len(parameters(function)) > MOST:
            found[one.name] = missing
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_classes_of_many_parameters_name_them(path):
    assert not unexplained(path.read_text())


def test_the_check_of_classes_finds_what_is_left_out():
    head = "class {}:\n    {}\n    def __init__(\n        self,\n        a: int,{}\n        b: int,\n        c: int,\n"
    tail = "        d: int,\n    ): ...\n"
    said = '"""Does.\n\n    Attributes:\n        b: x\n\n    Args:\n        c: x\n        d: x\n    """'
    assert unexplained(head.format("A", said, "  # x") + tail) == {}
    assert unexplained(head.format("A", said, "") + tail) == {"A": ["a"]}
    assert unexplained(head.format("A", '"""a b c d"""', "  # x") + tail) == {"A": ["b", "c", "d"]}
    assert unexplained(head.format("_A", '"""No."""', "") + tail) == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_many_parameters_are_named_one_by_one(path):
    short = {f"{one.name}, line {one.lineno}": unnamed(one) for one in public_functions(ast.parse(path.read_text()))}
    assert not {name: missing for name, missing in short.items() if missing}


CASES = {
    "a word of the sentence is no name": ('def f(a, b, c, d):\n    "The a, b, c and d of `a` and `b c`."', ["d"]),
    "no docstring": ("def f(a, b, *, c, d): ...", ["a", "b", "c", "d"]),
    "a section": (
        'def f(a, b, c, d):\n    """Do.\n\n    Args:\n        a, b: one\n            c: no.\n        d: x\n    """',
        ["c"],
    ),
    "another section": ('def f(a, b, c, d):\n    """`a b c`.\n\n    Raises:\n        d: x\n    """', ["d"]),
    "the rest": ('def f(a, b, c, *d):\n    "`a`, `b`, `c`."', ["d"]),
    "three": ("def f(a, b, c): ...", []),
    "a method": ('class A:\n    def f(self, a, b, c, d): "`a b c`"', ["d"]),
    "a private class": ("class _A:\n    def f(self, a, b, c, d): ...", []),
    "where it depends": ('if True:\n    def f(a, b, c, d): "`a b c`"', ["d"]),
    "inside": ('def f():\n    def g(a, b, c, d): "`a`"', []),
    "a route": ('def f():\n    @router.get("/")\n    async def g(request, b, c, d): "`b c`"', ["d"]),
    "a request elsewhere": ('def g(request, b, c, d): "`b c d`"', ["request"]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_check_finds_what_is_left_out(case):
    source, missing = CASES[case]
    assert [name for one in public_functions(ast.parse(source)) for name in unnamed(one)] == missing


def test_the_package_has_such_functions_and_routes():
    every = [one for path in FILES for one in public_functions(ast.parse(path.read_text()))]
    assert sum(len(parameters(one)) > MOST for one in every) > 200
    assert sum(map(is_route, every)) > 30
