"""One word for one thing: no two public classes share a name, and every word has one spelling."""

import re
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SPELLINGS = ("colo" + "ur", "gre" + "y", "cent" + "re", "neighbo" + "ur", "behavio" + "ur", "label" + "led")
"""What is spelled color, gray, center, neighbor, behavior and labeled here."""


def test_every_word_has_one_spelling():
    listed = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    texts = [
        CHECKOUT / name for name in listed.split() if name.endswith((".py", ".md", ".html", ".js", ".css", ".toml"))
    ]
    assert len(texts) > 300
    strange = re.compile(rf"\b\w*(?:{'|'.join(SPELLINGS)})\w*", re.IGNORECASE)
    found = {
        f"{path.relative_to(CHECKOUT)}:{number}: {match[0]}"
        for path in texts
        if path.exists()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for match in strange.finditer(line)
    }
    assert not found, sorted(found)
