"""One self-contained HTML page of all exhibits of a model: pictures and tables are inside the file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import jinja2

from stylegenes.analysis.exhibits.exhibit import Table, Words, load_words

_ROWS_SHOWN = 200


@dataclass(frozen=True)
class Finding:
    """One statement that the page makes before its exhibits.

    Attributes:
        text: what is claimed.
        outcome: a word or two on what became of it.
        evidence: the numbers.
        picture: a PNG that shows them, or nothing.
    """

    text: str
    outcome: str
    evidence: str
    picture: bytes = b""

    @property
    def inline(self) -> str:
        """The picture as base64."""
        return _base64(self.picture)


@dataclass(frozen=True)
class Heading:
    """The top of the page.

    Attributes:
        title: name of the model.
        facts: label and value of what a reader must know first.
        introduction: a sentence or two on what the page shows.
        findings: what it concludes.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    introduction: str = ""
    findings: Sequence[Finding] = ()


def render_page(heading: Heading, folder: Path, made: str = "") -> str:
    """The page of the exhibits in `folder`, as HTML text that needs no other file.

    Args:
        heading: the top of the page.
        folder: of the exhibits.
        made: what makes the page, which says so in its head, see `sheets.free_path`.
    """
    shown = [_Shown.read(words, folder) for words in load_words(folder)]
    return _template().render(heading=heading, exhibits=shown, rows_shown=_ROWS_SHOWN, made=made)


@dataclass(frozen=True)
class _Shown:
    """An exhibit as the template takes it: picture and table as base64, and the table's cells."""

    words: Words
    picture: str
    file: str
    csv: str
    table: Table

    @classmethod
    def read(cls, words: Words, folder: Path) -> _Shown:
        file = folder / f"{words.name}.csv"
        picture, whole = (folder / f"{words.name}.png").read_bytes(), file.read_bytes()
        return cls(words, _base64(picture), file.name, _base64(whole), Table.load(file))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@cache
def _template() -> jinja2.Template:
    text = files("stylegenes.analysis.exhibits").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(text)
