"""Tables as CSV: what is written is read, whatever the cells hold, and what spreadsheets write too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylegenes.csv_tables import csv_text, read_csv, write_csv, write_table
from stylegenes.errors import UserError

CELL = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), min_size=1)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1)))
def test_what_is_written_is_read(tmp_path_factory, rows):
    columns = [f"c {i},\"'" for i in range(len(rows[0]))]
    path = write_csv(tmp_path_factory.mktemp("t") / "t.csv", columns, rows)
    found = read_csv(path)
    assert found.columns == columns and [list(row.values()) for row in found.rows] == rows


def test_numbers_have_six_digits_and_lines_end_alike(tmp_path):
    assert csv_text(["a", "b", "c"], [[1.23456789, 123456789, None], [1e-9, True, "x"]]) == (
        "a,b,c\n1.23457,123456789,\n1e-09,True,x\n"
    )
    path = write_table(tmp_path / "t.csv", [{"a": 0.5, "b": "x"}, {"b": "y", "a": 2}])
    assert path.read_bytes() == b"a,b\n0.5,x\n2,y\n"


@given(st.lists(st.sampled_from(["a", "b", "a (2)", "code", ""]), min_size=1, max_size=6))
def test_columns_that_users_name_alike_are_told_apart(tmp_path_factory, columns):
    """A model called `a`, an attribute called `code`: what was written could not be read again."""
    row = [str(number) for number in range(len(columns))]
    path = write_csv(tmp_path_factory.mktemp("t") / "t.csv", columns, [row])
    found = read_csv(path)
    assert len(set(found.columns)) == len(columns) and list(found.rows[0].values()) == row
    assert [name for name in columns if columns.count(name) == 1] == [
        name for name, given in zip(found.columns, columns, strict=True) if columns.count(given) == 1
    ]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa,b\r\n1,2\r\n", b"a,b\r1,2\r", b"a,b\n1,2"])
def test_spreadsheets_are_read(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    assert read_csv(tmp_path / "t.csv").rows == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,a\n1,2\n", "two columns"),
        (b"a\n1,2\n", "more cells"),
        (b"\xff\xfe", "cannot read"),
        (b'a\n"1', "cannot read"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_csv(tmp_path / "t.csv")
    with pytest.raises(UserError, match="there is no file"):
        read_csv(tmp_path / "other.csv")
