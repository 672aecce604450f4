"""Labels: what is ambiguous or no number is named by file, row and column; nothing is guessed or lost in silence."""

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import FakeStore, png, write

from stylegenes.cli.main import run
from stylegenes.data import open_dataset
from stylegenes.data.labels import find_labels
from stylegenes.errors import UserError

NAMES = ("1.png", "2.png", "3.png", "4.png")


def labels_of(files, entries=NAMES, wanted=None):
    return find_labels(FakeStore(files), sorted(entries), sorted(files), wanted)


def reasons(found):
    return {item.name: item.reason for item in found.left_out}


def table(*rows, header="file,Happy,Age"):
    return "\n".join([header, *rows]).encode()


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("nan", "'nan', which is no number"),
        ("-inf", "'-inf'"),
        ("", "is empty"),
        ("1e39", "too large"),
        ("NULL", "no num"),
    ],
)
@pytest.mark.parametrize("row", [0, 2])
def test_a_cell_that_is_no_number_costs_its_picture_and_is_named(cell, word, row):
    cells = ["30", "41", "12"]
    cells[row] = cell
    found = labels_of({"t.csv": table(*(f"{i + 1}.png,1,{cell}" for i, cell in enumerate(cells)))}, NAMES[:3])
    (reason,) = reasons(found).values()
    assert list(reasons(found)) == [NAMES[row]] and f"row {row + 2} of t.csv" in reason
    assert "column Age" in reason and word in reason
    assert found.names == ["Happy", "Age"], "the other cells are numbers still"


@pytest.mark.parametrize(
    "cell", ["1,5", "1.000,5", "1_000", "50%", "50 %", "0x1F", "1'000", "\u22123", "\u0663", "０１"]
)
def test_numbers_in_other_spellings_are_refused_and_not_taken_for_words(cell):
    rows = [f"{i}.png;1;{cell if i == 3 else ''}" for i in range(1, 4)]
    with pytest.raises(UserError, match=r"column Age of t\.csv writes numbers in a way that is not read \(row 4: "):
        labels_of({"t.csv": table(*rows, header="file;Happy;Age")}, NAMES[:3])


@pytest.mark.parametrize("word", ["3rd", "v1.5", "1,5,x", "2x2", "x%", "1.2.3", "a_1"])
def test_words_with_digits_stay_words(word):
    rows = [f"{i}.png;{word if i == 3 else 'other'}" for i in range(1, 4)]
    assert f"Age={word}" in labels_of({"t.csv": table(*rows, header="file;Age")}, NAMES[:3]).names


def test_folders_in_class_folders_are_told():
    found = labels_of({}, ["train/cat/1.png", "train/dog/2.png", "val/cat/3.png"])
    assert found.names == ["train", "val"]
    assert any("those in them (cat, dog)" in warning for warning in found.warnings)
    shards = labels_of({}, ["cat/00000/1.png", "cat/00001/2.png", "dog/00000/3.png"])
    assert shards.names == ["cat", "dog"] and not shards.warnings


def test_folders_of_running_numbers_are_no_classes_and_it_is_said():
    found = labels_of({}, ["00000/1.png", "00001/2.png"])
    assert not found.names and "00000, 00001" in found.origin


@pytest.mark.parametrize("value", ["NaN", "null", "1e39", "-Infinity", "true", '"1"', "[1]", "1" + "0" * 400])
def test_a_vector_with_what_is_no_number_costs_its_picture_and_is_named(value):
    content = f'{{"labels": [["1.png", [0, {value}]], ["2.png", [1, 2.5]]]}}'.encode()
    found = labels_of({"dataset.json": content}, NAMES[:2])
    assert reasons(found)["1.png"].startswith("labels[0] of dataset.json: number 1 of the vector is")
    assert found.rows["2.png"].tolist() == [1, 2.5]


@pytest.mark.parametrize("label", [10**30, 20_000_000, 10_000, -1])
def test_a_class_beyond_all_bounds_is_refused_before_memory_is_taken(label):
    with pytest.raises(UserError, match=r"labels\[1\] \(2\.png\) has class .*0 to 9,999"):
        labels_of({"dataset.json": json.dumps({"labels": [["1.png", 0], ["2.png", label]]}).encode()})


def test_classes_without_pictures_are_counted():
    found = labels_of({"dataset.json": b'{"labels": [["1.png", 0], ["2.png", 3]]}'}, NAMES[:2])
    assert found.names == ["class_0", "class_1", "class_2", "class_3"]
    assert found.warnings == ["2 of the 4 classes of dataset.json have no picture"]


@pytest.mark.parametrize(
    "labels",
    ['[["1.png", 0], ["2.png", [1]]]', '[["1.png", [1]], ["2.png", [1, 2]]]', '[["1.png", 0], ["2.png", 1.5]]',
     '[["1.png", NaN], ["2.png", 1]]', '[["1.png", true], ["2.png", false]]', '["ab", "cd"]', '{"1.png": 1}', "3",
     '[[1, 2]]', '[["1.png"]]', '[["1.png", null]]', '[["1.png", []]]', '[["1.png", "cat"]]', "[" * 100_000],
)  # fmt: skip
def test_labels_of_another_form_are_refused(labels):
    with pytest.raises(UserError, match=r"dataset\.json") as error:
        labels_of({"dataset.json": f'{{"labels": {labels}}}'.encode()})
    assert str(error.value).isprintable()


def test_a_key_that_stands_twice_is_refused():
    with pytest.raises(UserError, match="twice"):
        labels_of({"dataset.json": b'{"labels": [["1.png", 0]], "labels": [["1.png", 1]]}'})


@pytest.mark.parametrize("name", ["t.csv", "dataset.json"])
def test_rows_of_one_picture_must_agree(name):
    rows = [["1.png", [1, 0]], ["2.png", [0, 1]], ["1.png", [1, 5]], ["2.png", [0, 1]]]
    if name == "t.csv":
        content, places, column = table(*(f"{key},{a},{b}" for key, (a, b) in rows)), "row 2 and row 4", "Age"
    else:
        content, places, column = json.dumps({"labels": rows}).encode(), r"labels\[0\] and labels\[2\]", "label_1"
    found = labels_of({name: content}, NAMES[:2])
    assert list(found.rows) == ["2.png"], "the same row twice is no contradiction"
    assert places.replace("\\", "") in reasons(found)["1.png"]
    assert f"{column} is 0 and 5" in reasons(found)["1.png"]


def test_rows_that_name_one_picture_in_two_ways_must_agree():
    found = labels_of({"t.csv": table("a/1.png,1,0", "1.png,1,5", "b/2,1,1")}, ["a/1.png", "b/2.png"])
    assert "contradict" in reasons(found)["a/1.png"]


def test_a_bare_name_that_fits_several_pictures_labels_none_of_them():
    found = labels_of({"t.csv": table("1.png,1,2", "2.png,1,3")}, ["a/1.png", "b/1.png", "b/2.png"])
    assert sorted(found.rows) == ["b/2.png"]
    assert set(reasons(found)) == {"a/1.png", "b/1.png"}
    assert "row 2 of t.csv, '1.png', fits a/1.png, b/1.png" in reasons(found)["a/1.png"]


def test_a_full_name_belongs_to_that_picture_alone():
    found = labels_of({"t.csv": table("1.png,1,2")}, ["1.png", "a/1.png", "b/1.png"])
    assert list(found.rows) == ["1.png"]
    assert set(reasons(found)) == {"a/1.png", "b/1.png"}


def test_a_stem_that_fits_two_formats_labels_neither():
    found = labels_of({"t.csv": table("1,1,2", "2,1,3")}, ["1.png", "1.jpg", "2.png"])
    assert list(found.rows) == ["2.png"]
    assert all("fits 1.jpg, 1.png" in reason for reason in reasons(found).values())


def test_accents_composed_in_two_ways_are_one_name():
    assert list(labels_of({"t.csv": table("e\u0301.png,1,2")}, ["\u00e9.png"]).rows) == ["\u00e9.png"]


@pytest.mark.parametrize("key", ["./a/1.png", "a\\1.png", ".\\a\\1.png"])
def test_paths_of_other_systems_are_read(key):
    assert list(labels_of({"t.csv": table(f"{key},1,2")}, ["a/1.png", "b/1.png"]).rows) == ["a/1.png"]


def test_row_numbers_before_the_names_are_not_taken_for_names():
    content = table("0,1.png,1", "1,0.png,0", header=",file,Happy")
    with pytest.raises(UserError, match=r"column file of t\.csv holds names of images \(row 2: '1\.png'\)"):
        labels_of({"t.csv": content}, ["0.png", "1.png"])


def test_rows_without_a_picture_are_counted_and_named():
    (warning,) = labels_of({"t.csv": table("1.png,1,2", "gone.png,1,2")}, ["1.png"]).warnings
    assert warning.startswith("1 of 2 rows of t.csv name no image") and "row 3 'gone.png'" in warning


def test_columns_that_can_be_read_in_two_ways_are_refused():
    for cells, word in [
        (("1", "many"), "numbers and words"),
        (("yes", "3"), "true and false"),
        (("0,5", "1"), "mixes"),
    ]:
        rows = [f"{i}.png;{cell}" for i, cell in enumerate(cells, 1)]
        with pytest.raises(UserError, match=word) as error:
            labels_of({"t.csv": table(*rows, header="file;Age")})
        assert "Age" in str(error.value) and "row 3" in str(error.value)
    unlike = table(*(f"{i}.png,{i} is a picture" for i in range(300)), header="file,Caption")
    with pytest.raises(UserError, match="text, not a label"):
        labels_of({"t.csv": unlike})


def test_numbers_that_are_large_are_taken_with_a_warning():
    found = labels_of({"t.csv": table("1.png,1,1990", "2.png,0,2020")}, NAMES[:2])
    assert found.rows["2.png"].tolist() == [0, 2020]
    assert "column Age of t.csv reaches 2020" in found.warnings[0]


@pytest.mark.parametrize(
    ("header", "word"), [("file,A,A", "two columns named A"), ("file,,B", "column 2 of t.csv has no name")]
)
def test_columns_need_names_of_their_own(header, word):
    with pytest.raises(UserError, match=word):
        labels_of({"t.csv": table("1.png,1,2", header=header)})


def test_columns_without_content_are_not_used():
    found = labels_of({"t.csv": table("1.png,1,,", "2.png,0,,", header="file,A,B,")}, NAMES[:2])
    assert found.names == ["A"] and found.warnings == ["column B of t.csv is empty and is not used"]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_line_end_and_mark_of_byte_order_is_read(end, encoding):
    content = end.join(["file,Name", "1.png,é", "", "2.png,b", ""]).encode(encoding)
    found = labels_of({"t.csv": content}, NAMES[:2])
    assert found.names == ["Name=b", "Name=é"] and found.rows["1.png"].tolist() == [0, 1]


@pytest.mark.parametrize(
    "content",
    [b'file,A\n1.png,"1\n2.png,0\n', b"file,A\n1.png," + b"1" * 140_000, "file,A\n1.png,1".encode("utf-16-le")],
)
def test_tables_that_cannot_be_read_are_refused_in_a_sentence(content):
    with pytest.raises(UserError, match=r"t\.csv") as error:
        labels_of({"t.csv": content})
    assert str(error.value).isprintable() and len(str(error.value)) < 300


def test_the_row_of_a_message_is_the_line_of_an_editor():
    found = labels_of(
        {"t.csv": table("1.png,1,2", "", "2.png,1,x", "3.png,,4", header="file,A,B").replace(b"x", b"nan")}
    )
    assert reasons(found)["2.png"].startswith("row 4") and reasons(found)["3.png"].startswith("row 5")


CELEBA = "3\nSmiling Male\n1.png 1 -1\n2.png -1 1\n3.png 1 1\n"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (CELEBA[:-12], "lists 3 images and lists 2"),
        (CELEBA[:-3], "row 5 .* 1 values"),
        (CELEBA.replace("-1 1", "-1 7"), "'7'"),
        (CELEBA.replace("-1 1", "-1 1 1"), "row 4 .* 3 values"),
        (CELEBA[:6], "lists 0"),
    ],
)
def test_a_list_of_celeba_that_was_cut_is_refused(change, word):
    assert labels_of({"list_attr_celeba.txt": CELEBA.encode()}, NAMES[:3]).rows["2.png"].tolist() == [0, 1]
    with pytest.raises(UserError, match=word):
        labels_of({"list_attr_celeba.txt": change.encode()}, NAMES[:3])


def test_several_label_files_are_not_chosen_between():
    both = {"t.csv": table("1.png,1,2"), "dataset.json": b'{"labels": [["1.png", 0]]}'}
    with pytest.raises(UserError, match=r"several label files \(dataset\.json, t\.csv\).*data\.label_file"):
        labels_of(both, ["1.png"])
    assert labels_of(both, ["1.png"], "t.csv").names == ["Happy", "Age"]
    unlabeled = {**both, "dataset.json": b'{"labels": null}'}
    assert labels_of(unlabeled, ["1.png"]).names == ["Happy", "Age"], "a dataset.json without labels names none"
    beside = {"t.csv": both["t.csv"], "list_attr_celeba.txt": b"1\nSmiling\n1.png 1\n"}
    found = labels_of(beside, ["1.png"])
    assert found.names == ["Smiling"] and found.warnings == ["t.csv lies beside list_attr_celeba.txt and is not used"]


def test_a_stray_picture_beside_class_folders_is_named():
    found = labels_of({}, ["cat/1.png", "dog/1.png", "stray.png"])
    assert not found.names and "stray.png" in found.warnings[0] and "cat, dog" in found.warnings[0]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    classes = {f"{name}/{i}.png": png(i + 10 * n) for n, name in enumerate(("cat", "dog")) for i in range(3)}
    return write(tmp_path / "pets", classes)


@pytest.mark.parametrize("notes", [{"notes/README": b"hello"}, {"broken/1.png": b"x", "broken/2.png": b"y"}])
def test_a_folder_without_pictures_is_no_class(folder, notes, caplog, capsys):
    write(folder, notes)
    (name,) = {path.split("/")[0] for path in notes}
    for _ in range(2):
        dataset = open_dataset(folder, resolution=8, workers=1)
        assert dataset.label_names == ["cat", "dog"] and dataset.labels(range(6)).sum() == 6
        assert f"no picture in {name} can be used" in caplog.text, "the cached data set says it too"
        caplog.clear()
    with pytest.raises(SystemExit):
        run(["data", "check", str(folder), "--workers", "1"])
    out = capsys.readouterr().out
    assert f"no picture in {name} can be used" in out and f"  {name}:" not in out


def test_check_and_opening_name_file_row_and_column(folder, caplog, capsys):
    write(
        folder,
        {
            "t.csv": table(
                *(f"{n}/{i}.png,1,{'nan' if n + str(i) == 'cat1' else 2}" for n in ("cat", "dog") for i in range(3))
            )
        },
    )
    with pytest.raises(SystemExit):
        run(["data", "check", str(folder), "--workers", "1"])
    open_dataset(folder, resolution=8, workers=1)
    for text in (capsys.readouterr().out, caplog.text):
        assert "cat/1.png: row 3 of t.csv: column Age holds 'nan'" in text


def test_equal_files_of_different_classes_are_named(folder, capsys):
    write(folder, {"cat/7.png": png(1), "dog/7.png": png(1), "cat/8.png": png(2), "cat/9.png": png(2)})
    run(["data", "check", str(folder), "--workers", "1"])
    out = capsys.readouterr().out
    assert "dog/7.png are one file with different labels" in out and out.count("one file") == 1


words = st.sampled_from(["1", "0", "-1", "0.5", "red", "yes", "nan", "", "1e39", "x,y", 'q"', "\x1b[0m", "é", "1.png"])


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from([*NAMES, "1", "a/1.png", "9.png"]), words, words), min_size=1, max_size=6)
)
def test_every_picture_is_labeled_or_named(rows):
    """Whatever a well-formed table holds, each picture gets the row that names it, or is listed with a reason."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows([("file", "A", "B"), *rows])
    try:
        found = labels_of({"t.csv": buffer.getvalue().encode()})
    except UserError as error:
        assert str(error).isprintable()
        return
    assert set(found.rows) | set(reasons(found)) == set(NAMES) and not set(found.rows) & set(reasons(found))
    assert all(reason.isprintable() for reason in reasons(found).values())
    assert all(np.isfinite(row).all() and len(row) == len(found.names) for row in found.rows.values())
    for name in found.rows:
        assert len({row[1:] for row in rows if row[0] in (name, name[:-4])} - {()}) >= 1


def test_memory_of_a_wide_one_hot_is_shared():
    pairs = [[f"{i}.png", i % 500] for i in range(2000)]
    found = labels_of({"dataset.json": json.dumps({"labels": pairs}).encode()}, [name for name, _ in pairs])
    assert found.rows["0.png"] is found.rows["500.png"]


@pytest.mark.parametrize("mark", [";", ",", "\t"])
@pytest.mark.parametrize(
    "names",
    [
        ["hair, long, red", "b"],
        ["a;b;c;d", "e"],
        ["x\ty\tz", "w"],
        ['says "a, b; c"', "b"],
        ["two\nlines, here; so", "b"],
    ],
)
@pytest.mark.parametrize("before", ["", "\n", "\n \n", "{0}{0}\n", "\r\n"])
def test_the_delimiter_is_what_stands_between_quotation_marks(mark, names, before):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=mark, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([["file", *names], ["1.png", 1, 0], ["2.png", 0, 1]])
    found = labels_of({"t.csv": (before.format(mark) + text.getvalue()).encode()}, NAMES[:2])
    assert found.names == names
    assert found.rows["1.png"].tolist() == [1, 0] and not found.left_out


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (";Hat", ["Hat"]),
        ('"file";"Hat"', ["Hat"]),
        ('file;5" wide;b', ['5" wide', "b"]),
        ('"file, of, a, picture";Hat', ["Hat"]),
        ('file;"a"";""b,,,"', ['a";"b,,,']),
        ('file\t"a,b"', ["a,b"]),
    ],
)
def test_headers_of_other_programs_are_read(header, names):
    mark = "\t" if "\t" in header else ";"
    rows = [mark.join([f"{i}.png", *["1", "0"][: len(names)]]) for i in (1, 2)]
    assert labels_of({"t.csv": table(*rows, header=header)}, NAMES[:2]).names == names


@given(st.text('a1,;\t"\n ', max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_table_or_is_refused_in_words(text):
    try:
        labels_of({"t.csv": text.encode()}, NAMES[:2], "t.csv")
    except UserError as error:
        assert "t.csv" in str(error)
