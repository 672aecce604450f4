"""One word for one thing: no two public classes share a name, and every word has one spelling."""

import ast
import re
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SPELLINGS = ("colo" + "ur", "gre" + "y", "cent" + "re", "neighbo" + "ur", "behavio" + "ur", "label" + "led")
"""What is spelled color, gray, center, neighbor, behavior and labeled here."""


def test_every_word_has_one_spelling():
    listed = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    texts = [
        CHECKOUT / name for name in listed.split() if name.endswith((".py", ".md", ".html", ".ts", ".tsx", ".toml"))
    ]
    assert len(texts) > 300
    strange = re.compile(rf"(?!labelledby)\b\w*(?:{'|'.join(SPELLINGS)})\w*", re.IGNORECASE)
    found = {
        f"{path.relative_to(CHECKOUT)}:{number}: {match[0]}"
        for path in texts
        if path.exists()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for match in strange.finditer(line)
    }
    assert not found, sorted(found)


SHARED = {
    "Args": "what a verb takes, one in each file of cli/",
    "Block": "a resolution of a network, as its paper builds it: one paper, one file",
    "Epilogue": "the last layers of a network, as its paper builds them",
    "Stage": "a resolution of a network that grows, and one of R3GAN",
    "ToRGB": "the layer that makes colors, as its paper builds it",
}
"""Names that several public classes may have, and why."""


def test_no_two_public_classes_share_a_name():
    places: dict[str, list[str]] = {}
    for path in sorted((CHECKOUT / "stylegenes").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(CHECKOUT)))
    assert len(places) > 300
    doubled = {name: where for name, where in places.items() if len(where) > 1}
    assert not {name: where for name, where in doubled.items() if name not in SHARED}
    assert set(SHARED) <= set(doubled), "this name is no longer shared"
