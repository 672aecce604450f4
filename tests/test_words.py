"""Sentences to people: names that were perhaps meant, command lines that a shell reads as they were meant."""

import ast
import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylegenes.errors import UserError
from stylegenes.words import check_names, command, counted, did_you_mean, joined, nearest, nearest_place

SOURCES = sorted((Path(__file__).resolve().parents[1] / "stylegenes").rglob("*.py"))
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(NAMES)
def test_a_shell_reads_a_command_as_it_was_meant(name):
    verb, word, place = shlex.split(command("train", name, Path(name)))[1:]
    assert (verb, word) == ("train", name)
    assert Path(place) == Path(name)
    assert not place.startswith("-"), "a path that begins with a dash would be taken for an option"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("runs/0001", "stylegenes train runs/0001"),
        ("my photos", "stylegenes train 'my photos'"),
        ("Bilder für mich", "stylegenes train 'Bilder für mich'"),
        ("it's", "stylegenes train 'it'\"'\"'s'"),
        ("-x", "stylegenes train ./-x"),
        ("a;rm *", "stylegenes train 'a;rm *'"),
    ],
)
def test_paths_are_quoted_where_they_have_to_be(path, line):
    assert command("train", Path(path)) == line


def _hints(tree):
    """What follows `stylegenes VERB` in every formatted string: expressions that are put into a command line."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        before = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                before += str(part.value)
            elif isinstance(part, ast.FormattedValue):
                if re.search(r"stylegenes [a-z][^;,.)]*$", before):
                    yield ast.unparse(part.value)
                before += "{}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_command_line_is_put_together_by_hand(path):
    by_hand = list(_hints(ast.parse(path.read_text())))
    assert not by_hand, f"{by_hand} stand in a command line unquoted; use stylegenes.words.command"


@given(st.lists(NAMES, min_size=1, max_size=8), st.data())
def test_a_name_is_nearest_to_itself_whatever_its_case(names, data):
    name = data.draw(st.sampled_from(names))
    meant = nearest(name, names)
    assert meant is not None
    assert meant.casefold().replace(" ", "_") == name.casefold().replace(" ", "_")


@pytest.mark.parametrize(
    ("given_name", "accepted", "meant"),
    [
        ("avatars23", ["avatars32", "avatars32-mapping"], "avatars32"),
        ("smilling", ["Smiling", "Hat"], "Smiling"),
        ("long hair", ["Long_Hair"], "Long_Hair"),
        ("hat", ["Smiling", "Wearing_Hat"], "Wearing_Hat"),
        ("zebra", ["Smiling", "Hat"], None),
    ],
)
def test_nearest(given_name, accepted, meant):
    assert nearest(given_name, accepted) == meant
    said = did_you_mean(given_name, accepted)
    assert said.endswith(f"accepted: {', '.join(accepted)}")
    assert ("did you mean" in said) == (meant is not None)


def test_a_missing_path_is_compared_with_names_and_with_its_neighbors(tmp_path):
    (tmp_path / "fotos").mkdir()
    assert nearest_place(tmp_path / "photos") == str(tmp_path / "fotos")
    assert nearest_place(Path("avatars23"), ["avatars32"]) == "avatars32"
    assert nearest_place(tmp_path / "no" / "where") is None


def test_one_is_singular():
    assert [counted(n, "picture") for n in (0, 1, 2, 1234)] == [
        "0 pictures",
        "1 picture",
        "2 pictures",
        "1,234 pictures",
    ]
    assert counted(1, "match", "matches") == "1 match"


def test_what_another_command_calls_otherwise_is_led_there():
    assert nearest("device", ["devices", "accelerator"]) == "accelerator"


def test_lists_are_text_and_names_are_checked_in_one_place():
    assert joined("layers", [0, 1]) == "0,1" and joined("metrics", "fd") == "fd"
    assert joined("wishes", {"Hat": True, "Young": 0, "Smiling": "1@0.3"}) == "Hat=1,Young=0,Smiling=1@0.3"
    assert check_names("way", "w", ("own", "w")) == ("w",)
    with pytest.raises(UserError, match="way 'ow' is unknown; did you mean 'own'"):
        check_names("way", ["w", "ow"], ("own", "w"))
