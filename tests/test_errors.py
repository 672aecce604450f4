"""What a message shows of a stranger's text."""

from hypothesis import given
from hypothesis import strategies as st

from stylegenes.errors import shown


def test_ordinary_names_are_shown_as_they_are():
    assert shown("Bilder/Straße 1.png") == "Bilder/Straße 1.png"


def test_escapes_and_lone_surrogates_are_spelt_out():
    assert shown("\x1b[31mred\n\udcff") == "\\x1b[31mred\\n\\udcff"


@given(text=st.text(st.characters(), max_size=400))
def test_anything_becomes_one_short_printable_line(text):
    line = shown(text, 60)
    assert line.isprintable() and line.encode("utf-8").decode() == line
    assert len(line) <= 60 * len("\\U0010ffff")
    assert shown("a" * 61 + text, 60).count("...") >= 1
