"""The report: verdicts and tables as Markdown, CSV and one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stylegenes.analysis.exhibits import Exhibit, Table, Value, Words
from stylegenes.analysis.exhibits.page import Finding, Heading, render_page
from stylegenes.files import atomic_path
from stylegenes.reproduction.claim_figures import claim_figures
from stylegenes.reproduction.claims import Verdict, verdicts
from stylegenes.reproduction.compared import Compared
from stylegenes.reproduction.figures import compared_figure
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.tables import all_tables
from stylegenes.sheets import Origin, free_path, made_by_what

PAGE, MADE = "report.html", "stylegenes reproduce"


def write_report(results: Results, facts: Sequence[tuple[str, str]]) -> Path:
    """Write everything into the folder of the reproduction, over an older report and over nothing else.

    Returns:
        The page; the text lies beside it.

    Args:
        results: what there is by now.
        facts: label and value of what a reader must know first: scale, steps done, time.
    """
    tables = [table for table in all_tables(results) if table.is_measured]
    found = verdicts(results)
    place, origin = results.folder / "exhibits", Origin(results.folder.name).made(MADE)
    _remove_older(place, ".png", ".csv", ".json")
    for order, table in enumerate(tables):
        words = Words(table.name, table.title, table.caption, order)
        picture = free_path(place / f"{table.name}.png", MADE, (".csv", ".json"))
        Exhibit(words, compared_figure(table), table.table).save(place, picture.stem, origin)
    pictures = _claim_pictures(results, found, origin)
    findings = [Finding(v.claim, v.holds, v.evidence, pictures.pop(v.letter, b"")) for v in found]
    heading = Heading("The papers' claims at our scale", facts, _INTRODUCTION, findings)
    page = free_path(results.folder / PAGE, MADE, (".md",))
    _write(page, render_page(heading, place, MADE))
    _write(page.with_suffix(".md"), markdown(facts, found, tables))
    return page


def _claim_pictures(results: Results, found: Sequence[Verdict], origin: Origin) -> dict[str, bytes]:
    """A PNG by letter of a claim, which lies in `claims` too."""
    place, pictures = results.folder / "claims", dict[str, bytes]()
    _remove_older(place, ".png")
    titles = {verdict.letter: verdict.claim for verdict in reversed(found)}
    for letter, figure in claim_figures(results).items():
        exhibit = Exhibit(Words(f"claim-{letter}", titles[letter], titles[letter]), figure, Table([], []))
        path = exhibit.draw(free_path(place / f"claim-{letter}.png", MADE), origin)
        pictures[letter] = path.read_bytes()
    return pictures


def _remove_older(place: Path, *suffixes: str) -> None:
    """What an older report has left there: of what is not measured any more, nothing is written over it."""
    for stale in [path for path in place.glob("*.png") if made_by_what(path) == MADE]:
        for suffix in suffixes:
            stale.with_suffix(suffix).unlink(missing_ok=True)


def markdown(facts: Sequence[tuple[str, str]], found: Sequence[Verdict], tables: Sequence[Compared]) -> str:
    """The report as Markdown."""
    lines = [_INTRODUCTION, "", *(f"- {label}: {value}" for label, value in facts), "", "## What holds", ""]
    for verdict in found:
        lines += [f"**{verdict.claim}** *{verdict.holds}*", ""]
        lines += [f"{verdict.evidence}.", ""] if verdict.evidence else []
        lines += [f"Rule: {verdict.rule}", ""]
    for table in tables:
        lines += [f"## {table.title}", "", table.caption, "", *_rows(table), ""]
    return "\n".join(lines)


def _rows(compared: Compared) -> list[str]:
    head = "| " + " | ".join(compared.table.columns) + " |"
    rule = "|" + " --- |" * len(compared.table.columns)
    return [head, rule, *("| " + " | ".join(map(_cell, row)) + " |" for row in compared.table.rows)]


def _cell(value: Value) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


_INTRODUCTION = (
    "Numbers of the papers beside ours. Data, extractor and size differ, so that values are not to be compared with "
    "each other, only what they say: which of two is lower, and how a number moves. Ours are Frechet distances by "
    "EfficientNet-Lite0 (fd), not FID."
)
