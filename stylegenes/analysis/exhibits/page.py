"""One self-contained HTML page of all exhibits of a model: pictures and tables are inside the file."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stylegenes.analysis.exhibits.exhibit import Table, Words, load_words

_ROWS_SHOWN = 200


@dataclass(frozen=True)
class Finding:
    """One statement that the page makes before its exhibits.

    Attributes:
        text: what is claimed.
        outcome: a word or two on what became of it.
        evidence: the numbers.
    """

    text: str
    outcome: str
    evidence: str


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


def render_page(heading: Heading, folder: Path) -> str:
    """The page of the exhibits in `folder`, as HTML text that needs no other file."""
    exhibits = load_words(folder)
    facts = "".join(f"<dt>{html.escape(label)}</dt><dd>{html.escape(value)}</dd>" for label, value in heading.facts)
    links = "".join(f'<a href="#{e.name}">{html.escape(e.title)}</a>' for e in exhibits)
    findings = "".join(_finding(one) for one in heading.findings)
    body = "".join(_section(words, folder) for words in exhibits)
    title, introduction = html.escape(heading.title), html.escape(heading.introduction)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><header><h1>{title}</h1><p>{introduction}</p><dl>{facts}</dl>{findings}"
        f'<nav aria-label="Exhibits">{links}</nav></header><main>{body}</main></body></html>\n'
    )


def _finding(finding: Finding) -> str:
    text, outcome, evidence = (html.escape(part) for part in (finding.text, finding.outcome, finding.evidence))
    return f'<div class="finding"><p>{text} <b>{outcome}</b></p><p>{evidence}</p></div>'


def _section(words: Words, folder: Path) -> str:
    picture = base64.b64encode((folder / f"{words.name}.png").read_bytes()).decode()
    file = folder / f"{words.name}.csv"
    title, caption = html.escape(words.title), html.escape(words.caption)
    described = f"Figure: {title}. What it shows is told below it, its numbers are in the table {file.name}."
    return (
        f'<section id="{words.name}"><h2>{title}</h2><figure><div>'
        f'<img alt="{described}" src="data:image/png;base64,{picture}"></div>'
        f"<figcaption>{caption}</figcaption></figure>"
        f"{_table(Table.load(file), file)}</section>"
    )


def _table(table: Table, file: Path) -> str:
    head = "".join(f"<th>{html.escape(str(column))}</th>" for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(value))}</td>" for value in row) + "</tr>"
        for row in table.rows[:_ROWS_SHOWN]
    )
    whole = base64.b64encode(file.read_bytes()).decode()
    more = "" if len(table.rows) <= _ROWS_SHOWN else f", the first {_ROWS_SHOWN} shown"
    return (
        f'<p class="file"><a download="{file.name}" href="data:text/csv;base64,{whole}">{file.name}</a></p>'
        f"<details><summary>Table: {len(table.rows):,} rows{more}</summary>"
        f"<div><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; font: 16px/1.5 system-ui, sans-serif; color: #222; }
h1 { font-size: 1.7rem; margin: 0 0 .6rem; }
h2 { font-size: 1.15rem; margin: 0 0 .6rem; }
header { border-bottom: 1px solid #ccc; padding-bottom: 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 0 0 1rem; font-size: .92rem; }
dt { color: #666; } dd { margin: 0; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .92rem; }
a { color: #0b5cad; }
section { padding: 1.6rem 0; border-bottom: 1px solid #eee; }
header p { max-width: 46rem; }
.finding { border-left: 3px solid #ccc; padding-left: .8rem; margin: .7rem 0; } .finding p { margin: .1rem 0; }
.finding p + p { color: #444; font-size: .92rem; }
figure { margin: 0; }
figure div { overflow-x: auto; }
img { display: block; max-width: 100%; height: auto; }
@media (max-width: 42rem) { body { padding: 1rem; } img { max-width: none; width: auto; max-height: 34rem; } }
@media print { details, nav, .file { display: none; } section { break-inside: avoid; } }
figcaption { max-width: 46rem; color: #444; font-size: .92rem; margin: .6rem 0; }
details, .file { font-size: .85rem; margin: 0; } .file { float: right; } summary { cursor: pointer; color: #666; }
details div { overflow: auto; max-height: 28rem; margin-top: .5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .7rem .15rem 0; text-align: left; border-bottom: 1px solid #eee; white-space: nowrap; }
th { position: sticky; top: 0; background: #fff; }
"""
