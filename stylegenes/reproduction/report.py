"""The report: verdicts and tables as Markdown, CSV and one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stylegenes.analysis.exhibits import Exhibit, Value, Words
from stylegenes.analysis.exhibits.page import Finding, Heading, render_page
from stylegenes.files import atomic_path
from stylegenes.reproduction.claims import Verdict, verdicts
from stylegenes.reproduction.figures import compared_figure
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.tables import Compared, all_tables

PAGE, TEXT = "report.html", "report.md"


def write_report(results: Results, facts: Sequence[tuple[str, str]]) -> Path:
    """Write everything into the folder of the reproduction; returns the page.

    Args:
        results: what there is by now.
        facts: label and value of what a reader must know first: scale, steps done, time.
    """
    tables = [table for table in all_tables(results) if table.is_measured]
    found = verdicts(results)
    place = results.folder / "exhibits"
    for stale in place.glob("*.*"):
        stale.unlink()
    for order, table in enumerate(tables):
        words = Words(table.name, table.title, table.caption, order)
        Exhibit(words, compared_figure(table), table.table).save(place)
    findings = [Finding(verdict.claim, verdict.holds, verdict.evidence) for verdict in found]
    heading = Heading("The papers' claims at our scale", facts, _INTRODUCTION, findings)
    _write(results.folder / PAGE, render_page(heading, place))
    _write(results.folder / TEXT, markdown(facts, found, tables))
    return results.folder / PAGE


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
