"""What is said is said as it is, on a terminal and in a file, under a progress bar as well."""

import contextlib
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stylegenes.cli import console, main

LINES = [
    "a:cat:.png",
    "a\tb",
    "\t",
    "[red]x[/red]",
    "[/]",
    "[link=x]",
    "\\[b]",
    "x" * 500,
    "  two  spaces  ",
    "a\nb",
    "",
    ":warning: {task.description} {0} %s",
]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    console.console.cache_clear()
    yield
    console.console.cache_clear()


def there(terminal: bool) -> contextlib.redirect_stdout[io.StringIO]:
    """Standard output as a file, or as a terminal of 40 columns."""
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    return contextlib.redirect_stdout(stream)


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("line", LINES)
def test_a_line_is_printed_as_it_is(line, terminal):
    with there(terminal) as stream:
        console.say(line)
    assert stream.getvalue() == line + "\n"


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("line", LINES)
def test_a_line_under_a_bar_is_printed_as_it_is(line, terminal):
    with there(terminal) as stream, console.Bars() as bars:
        bars.update("drawing :cat: [b]x[/b]", 1, 2)
        console.say(line)
    assert line + "\n" in stream.getvalue()
    assert not terminal or "drawing :cat: [b]x[/b]" in stream.getvalue()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_printed_as_it_is(capsys, text):
    console.say(text)
    assert capsys.readouterr().out == text + "\n"


def test_names_in_tables_are_printed_as_they_are(capsys):
    console.show_table([{"[b]name": ":cat:", "value": 1.0}, {"[b]name": "[red]x", "value": 2.0}], "of [/] :dog:")
    told = capsys.readouterr().out
    assert all(word in told for word in ("[b]name", ":cat:", "[red]x", "of [/] :dog:"))


def test_names_of_files_come_out_of_a_check_as_they_are(tmp_path, capsys):
    names = ["a:cat:.png", "[red]b.png", "c:smiley:[b].png"]
    for name in names:
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    assert main.run(["data", "check", str(tmp_path), "--resolution", "8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["duplicates"] == [sorted(names)]
    assert main.run(["data", "check", str(tmp_path), "--resolution", "8"]) == 0
    assert f"  {', '.join(sorted(names))}\n" in capsys.readouterr().out
