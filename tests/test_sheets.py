"""Files that carry their codes and say what they were drawn with."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from stylegenes import UserError
from stylegenes.drawing import DrawSettings
from stylegenes.notation import parse_codes, parse_label, parse_labels, parse_psi, read_codes
from stylegenes.pictures import save_picture
from stylegenes.records import Condition
from stylegenes.sheets import (
    CARRIERS,
    Origin,
    Sheet,
    claim_folder,
    codes_record,
    free_path,
    label_text,
    origin_of,
    read_sheet,
)
from stylegenes.snapshot import DataCard

CODES = ["rAbc-_0", "rDef123", "rGhi456"]
NAMES = ["Hat", "Smiling", "Young"]


def sheet(n: int = 3, side: int = 8, **given) -> Sheet:
    rng = np.random.default_rng(0)
    pictures = list(rng.integers(0, 255, (n, side, side, 3), np.uint8))
    origin = Origin("mödel", "ab" * 32, "0.7:2", "random", ["Hat"], {"Where": "Smiling=1", "Command": "x 'y z'"})
    return Sheet(pictures, CODES[:n], origin, **given)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.gif", "a.mp4"])
@pytest.mark.parametrize("side", [8, 200])
def test_every_kind_of_file_carries_codes_and_origin(tmp_path, name, side):
    pytest.importorskip("av")
    made = sheet(side=side)
    found = read_sheet(made.save(tmp_path / name))
    assert found.codes == CODES and found.origin == made.origin
    assert parse_codes(str(tmp_path / name)) == CODES


def test_long_codes_of_many_pictures_are_carried(tmp_path):
    """As z of 512 numbers has them: 2.7 thousand letters each."""
    one = sheet(1)
    long = Sheet([one.pictures[0]] * 100, ["s" + "Az09" * 700] * 100, one.origin)
    for name in ("a.png", "a.webp", "a.gif"):
        assert read_sheet(long.save(tmp_path / name)).codes == list(long.codes)


def test_single_files_have_their_own_code_and_the_json_has_all(tmp_path):
    made = sheet()
    files = made.save_each(tmp_path, ["a.png", "b.png", "c.png"])
    assert [read_sheet(file).codes for file in files] == [[code] for code in CODES]
    record = codes_record(made.origin, NAMES, ["a.png"] * 3, CODES)
    (tmp_path / "codes.json").write_text(json.dumps(record))
    found = read_codes(str(tmp_path / "codes.json"))
    assert found.codes == CODES and found.origin == made.origin


def test_a_sheet_shows_itself(tmp_path):
    made = sheet(captions=NAMES, columns=3)
    (tmp_path / "shown.png").write_bytes(made._repr_png_())
    assert np.array_equal(np.asarray(Image.open(tmp_path / "shown.png")), made.array())
    assert read_sheet(tmp_path / "shown.png").codes == CODES
    assert "3 pictures, 8 x 8, by mödel (psi 0.7:2, noise random, Hat)" in repr(made)


def test_a_file_without_codes_says_what_it_shows(tmp_path):
    one = sheet(1)
    shown = Sheet(one.pictures, [], Origin("m", more={"Pictures": "photos; their style vectors are in latents"}))
    with pytest.raises(UserError, match="it shows photos; their style vectors are in latents"):
        parse_codes(str(shown.save(tmp_path / "a.png")))
    save_picture(tmp_path / "b.png", one.pictures[0])
    with pytest.raises(UserError, match="no code strings"):
        parse_codes(str(tmp_path / "b.png"))
    for name in ("broken.png", "broken.gif", "broken.webp", "broken.mp4"):
        (tmp_path / name).write_bytes(b"no picture at all")
        with pytest.raises(UserError, match="cannot be read"):
            parse_codes(str(tmp_path / name))


def test_another_models_file_is_known_by_its_weights():
    origin = Origin("a", "1" * 64)
    assert origin.warning("a", "1" * 64) is None and origin.warning("renamed", "1" * 64) is None
    assert "other weights of this model" in (origin.warning("a", "2" * 64) or "")
    assert "drawn with a; b makes other pictures" in (origin.warning("b", "2" * 64) or "")
    assert Origin("a").warning("a", "1" * 64) is None and Origin("a").warning("b", "1" * 64)


@pytest.mark.parametrize("psi", [1.0, 0.7, -1.0, 0.1 + 0.2, 1e-9, 0.0])
@pytest.mark.parametrize("cutoff", [None, 0, 8])
def test_a_look_written_is_the_look_read(psi, cutoff):
    rng = torch.Generator().manual_seed(0)
    labels = torch.cat([torch.eye(3), torch.zeros(1, 3), torch.rand(3, 3, generator=rng), -torch.ones(1, 3)])
    for names in (NAMES, [], ["a,b", "c", "d"], ["1", "2", "0"], ["x=1", "y", "z"]):
        for rows in (labels, labels[2:3], labels[3:4]):
            origin = origin_of("m", "", DrawSettings(psi, cutoff, "const", Condition(rows)), names)
            assert parse_psi(origin.psi) == (psi, cutoff)
            data = type("Data", (), {"label_names": names})()
            found = parse_labels(origin.labels, 3, data)
            assert found is not None and torch.equal(found, rows)


def test_a_label_is_written_by_names_where_they_can_be_told_from_numbers():
    assert label_text(torch.tensor([1.0, 0.0, 0.5]), NAMES) == "Hat,Young=0.5"
    assert label_text(torch.tensor([0.0, 1.0, 0.0]), ["a", "1", "2"]) == "1"
    assert label_text(torch.zeros(3)) == "0=0"


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\n")
CLASS = st.one_of(
    st.integers(0, 9).map(str),
    st.text("0123#,= a-.", min_size=1, max_size=4),
    st.text(CHARACTERS, min_size=1, max_size=6),
    st.sampled_from(
        ["a,b", "x=1", "color=red", "#1", "##1", "01", "\u0661", "²", " 1", "1 ", "#", "=", ",", "é\u2028"]
    ),
)


def data_of(names: list[str]) -> DataCard:
    return DataCard("none", label_names=names)


@given(st.lists(CLASS, min_size=1, max_size=8), st.data())
@settings(max_examples=400, deadline=None)
def test_whatever_classes_are_called_a_label_is_read_as_it_was_written(names, data):
    number = st.floats(-9, 9, width=32) | st.sampled_from([0.0, 1.0])
    rows = [torch.eye(len(names))[i] for i in range(len(names))]
    rows += [
        torch.tensor(data.draw(st.lists(number, min_size=len(names), max_size=len(names)))),
        torch.zeros(len(names)),
    ]
    for row in rows:
        found = parse_label(label_text(row, names), len(names), data_of(names))
        assert found is not None and torch.equal(found[0], row)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["1", "2", "a,b", "x=1"], ["1", "2", "#2", "3"]),
        (["1", "2", "3", "color=red"], ["1", "2", "3", "#3"]),
        (["2", "#2", "a,b", ""], ["2", "#2", "##2", "3"]),
        (["a,b", "1", "x=1"], ["0", "1", "2"]),
        (["0", "1", "2"], ["0", "1", "2"]),
    ],
)
def test_a_class_is_never_recorded_as_another(tmp_path, names, words):
    for column, word in enumerate(words):
        row = torch.eye(len(names))[column]
        assert label_text(row, names) == word
        origin = origin_of("m", "", DrawSettings(condition=Condition(row[None])), names)
        picture = np.zeros((4, 4, 3), np.uint8)
        for suffix in CARRIERS:
            path = tmp_path / f"{column}{suffix}"
            if suffix == ".json":
                path.write_text(json.dumps(codes_record(origin, ["a"], ["a"], CODES[:1])))
            elif suffix != ".mp4":
                Sheet([picture], CODES[:1], origin).save(path)
            else:
                continue
            found = read_sheet(path).origin
            assert found is not None
            labels = parse_labels(found.labels, len(names), data_of(names))
            assert labels is not None and torch.equal(labels[0], row)


def test_labels_of_older_files_are_read_as_before():
    """Names went before numbers, and a number was one where no class was named so."""
    names = ["1", "2", "a,b", "x=1"]
    for text, row in [("2", [0, 1, 0, 0]), ("3", [0, 0, 0, 1]), ("0", [1, 0, 0, 0]), ("1,3=0.5", [1, 0, 0, 0.5])]:
        found = parse_label(text, 4, data_of(names))
        assert found is not None and found[0].tolist() == row
    for wrong in ("#4", "#", "##", "#x", "-1", "1#"):
        with pytest.raises(UserError, match="has no label"):
            parse_label(wrong, 4, data_of(names))


def test_a_default_name_never_takes_what_others_wrote(tmp_path):
    place, made = tmp_path / "a.png", sheet(1)
    by = [Sheet(made.pictures, made.codes, made.origin.made(line)) for line in ("sample --seeds 1", "sample --seeds 2")]
    assert free_path(place, "sample --seeds 1", (".json",)) == place
    by[0].save(place)
    assert free_path(place, "sample --seeds 1") == place
    assert free_path(place, "sample --seeds 2") == tmp_path / "a-2.png"
    by[1].save(tmp_path / "a-2.png")
    assert free_path(place, "sample --seeds 2") == tmp_path / "a-2.png"
    assert free_path(place, "sample --seeds 3") == tmp_path / "a-3.png"
    assert free_path(place, "sample --seeds 3", over="sample --seeds 1") == place
    save_picture(tmp_path / "mine.png", made.pictures[0])
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    for name in ("mine", "other", "broken"):
        assert free_path(tmp_path / f"{name}.png", "x", (".json",)) == tmp_path / f"{name}-2.png"


def test_a_folder_says_what_made_it(tmp_path):
    first = claim_folder(tmp_path / "pca", "pca a")
    assert first == tmp_path / "pca" == claim_folder(tmp_path / "pca", "pca a")
    assert claim_folder(tmp_path / "pca", "pca b") == tmp_path / "pca-2" == claim_folder(tmp_path / "pca", "pca b")
    (tmp_path / "mine").mkdir()
    assert claim_folder(tmp_path / "mine", "pca a") == tmp_path / "mine-2"
