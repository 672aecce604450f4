"""The tables of docs/scaling.md are what the command prints."""

import re
from pathlib import Path

import pytest

from benchmarks.scaling import tables

PAGE = Path(__file__).resolve().parents[1] / "docs/scaling.md"


@pytest.fixture(scope="module")
def printed():
    return tables()


@pytest.mark.parametrize("name", ["speed", "state", "billion"])
def test_a_table_of_the_page_is_the_commands(name, printed):
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", PAGE.read_text(), re.DOTALL)
    assert found is not None
    assert found[1].splitlines() == printed[name]


def test_every_table_has_its_place(printed):
    assert set(re.findall(r"<!-- /(\w+) -->", PAGE.read_text())) == set(printed)


def test_what_the_page_says_of_the_model_is_the_models(printed):
    from stylegenes.training.scaling import BETWEEN_NODES, WITHIN_NODE

    text = PAGE.read_text()
    assert f"{WITHIN_NODE.gbit:g} Gbit/s and {WITHIN_NODE.microseconds:g} us" in text
    assert f"{BETWEEN_NODES.gbit:g} Gbit/s and {BETWEEN_NODES.microseconds:g} us between nodes" in text
