"""The small notations: what they mean, and what is refused in words."""

import pytest
from latent_toys import GAUSSIAN, toy_generator

from stylegenes import UserError
from stylegenes.notation import (
    parse_codes,
    parse_hold,
    parse_label,
    parse_layers,
    parse_psi,
    parse_seeds,
    parse_steps,
)
from stylegenes.snapshot import DataCard


def test_labels_by_name_number_and_value():
    data = DataCard("none", label_names=["Hat", "Smiling", "Young"])
    assert parse_label("Smiling,Young=0.5", 3, data).tolist() == [[0, 1, 0.5]]
    assert parse_label("2", 3, None).tolist() == [[0, 0, 1]]
    for text, message in [
        (None, "give --label, its labels: Hat"),
        ("Cat", "no label 'Cat'"),
        ("Hat=x", "not a number"),
    ]:
        with pytest.raises(UserError, match=message):
            parse_label(text, 3, data)


def test_seeds():
    assert parse_seeds("0-3, 20") == [0, 1, 2, 3, 20]
    with pytest.raises(UserError, match="1,000,000"):
        parse_seeds("0-99999999999")


def test_layers_are_named_by_numbers_or_by_bands():
    generator = toy_generator(GAUSSIAN)
    assert parse_layers("all", generator) == [0, 1]
    assert parse_layers("1", generator) == parse_layers("1-1,1", generator) == [1]
    for wrong in ("2", "1-0", "a", "", "0-5"):
        with pytest.raises(UserError, match="numbers from 0 to 1"):
            parse_layers(wrong, generator)


def test_psi_has_a_number_of_layers():
    assert parse_psi("0.7") == (0.7, None) and parse_psi("-1:8") == (-1.0, 8)
    for wrong in ("x", "nan", "inf", "0.7:", "0.7:-1", ""):
        with pytest.raises(UserError, match="leading layers"):
            parse_psi(wrong)
    for many in (10**6 + 1, 2**63, 10**20 - 1, 10**39):
        with pytest.raises(UserError, match="at most 1,000,000"):
            parse_psi(f"0.7:{many}")
    assert parse_psi("0.7:1000000") == (0.7, 10**6)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_codes_may_begin_with_a_mark(tmp_path, encoding, end):
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    (tmp_path / "codes.txt").write_bytes(f"{mark}rAbc{end}{end} rDef {end}".encode(encoding))
    assert parse_codes(str(tmp_path / "codes.txt")) == ["rAbc", "rDef"]


@pytest.mark.parametrize("content", [b"\xff\xfeabc", b"\xff", b"r\xe9"])
def test_what_is_no_text_holds_no_codes(tmp_path, content):
    (tmp_path / "codes.txt").write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as lines of text"):
        parse_codes(str(tmp_path / "codes.txt"))


def test_what_is_held_is_genes_and_attributes():
    held = parse_hold("Young, 3,20-22", ["Hat", "Young"])
    assert (held.genes, held.attributes) == ([3, 20, 21, 22], [1])
    with pytest.raises(UserError, match="did you mean 'Hat'"):
        parse_hold("Hta", ["Hat", "Young"])


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "x"])
def test_a_label_holds_numbers(value):
    with pytest.raises(UserError, match="is not a number"):
        parse_label(f"1={value}", 3, None)


NINES = "9" * 5000


@pytest.mark.parametrize(
    "read",
    [
        lambda: parse_seeds(NINES),
        lambda: parse_seeds(f"3-{NINES}"),
        lambda: parse_psi(f"0.7:{NINES}"),
        lambda: parse_steps(NINES),
        lambda: parse_steps("1" + "0" * 12),
        lambda: parse_hold(NINES, ["Hat"]),
        lambda: parse_label(NINES, 3, None),
        lambda: parse_layers(NINES, toy_generator(GAUSSIAN)),
    ],
)
def test_numbers_of_any_length_are_refused_shortly(read):
    with pytest.raises(UserError) as caught:
        read()
    assert len(str(caught.value)) < 400
