"""Hooks of mkdocs: notebooks become pages, and files from beside docs/ are brought along."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
BESIDE = {"benchmarks.md": "benchmarks/README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""Pages of the site that lie elsewhere in the repository."""
COLAB = "https://colab.research.google.com/github/stylegenes/stylegenes/blob/main/docs"


def on_files(files: Files, config: Any) -> Files:
    """Bring pages and pictures from beside docs/ along, and make a page of every notebook."""
    for page, path in BESIDE.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text(encoding="utf-8")))
    for picture in sorted((ROOT / "assets").glob("*.png")):
        files.append(File.generated(config, f"assets/{picture.name}", abs_src_path=str(picture)))
    for file in [one for one in files if one.src_uri.endswith(".ipynb")]:
        text = notebook_page(json.loads(Path(str(file.abs_src_path)).read_text(encoding="utf-8")), file.src_uri)
        files.append(File.generated(config, file.src_uri.replace(".ipynb", ".md"), content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links that leave docs/ in the repository stay inside the site."""
    markdown = re.sub(r"\]\((?:\.\./)+assets/", "](assets/", markdown)
    markdown = re.sub(r"\]\((?:\.\./)+benchmarks/README\.md", "](benchmarks.md", markdown)
    return re.sub(r"\]\(docs/([\w.-]+)\)", r"](\1)", markdown)


def on_config(config: Any) -> Any:
    """The navigation names notebooks by their files; the site has pages of them."""
    config["nav"] = json.loads(json.dumps(config["nav"]).replace(".ipynb", ".md"))
    return config


def notebook_page(notebook: dict[str, Any], uri: str) -> str:
    """A notebook as Markdown, with links to run it and to take it along."""
    name = uri.rpartition("/")[2]
    parts = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        parts.append(f"```python\n{text}\n```" if cell["cell_type"] == "code" else text)
    parts.insert(1, f"[Run it on Colab]({COLAB}/{uri}) · [take the notebook along]({name})")
    return "\n\n".join(parts) + "\n"
