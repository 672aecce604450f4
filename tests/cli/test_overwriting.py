"""Folders that a command writes: what a user put there stays, and what the command made itself is replaced."""

import pytest
import tiny_run

from stylegenes.analysis.exhibits.page import Heading, render_page
from stylegenes.cli import demo, main
from stylegenes.cli.classifier import Args as ClassifierArgs
from stylegenes.errors import UserError
from stylegenes.files import replaceable_folder
from stylegenes.reproduction.report import write_report
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.scale import SMALL
from stylegenes.sheets import free_path
from stylegenes.training import train

OURS = "made by hand"


def test_a_page_says_what_made_it_and_other_pages_are_kept(tmp_path):
    page = tmp_path / "report.html"
    made = 'stylegenes report m --where="A=1" & more'
    page.write_text(render_page(Heading("m", []), tmp_path / "none", made))
    assert free_path(page, made) == page
    assert free_path(page, "stylegenes report m --seed=3") == tmp_path / "report-2.html"
    page.write_text(OURS)
    assert free_path(page, made) == tmp_path / "report-2.html"


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_a_reproduction_replaces_its_own_report_alone(tmp_path, name):
    results = Results(tmp_path, SMALL)
    (tmp_path / name).write_text(OURS)
    (tmp_path / "exhibits").mkdir()
    for kept in ("notes.txt", "mine.json", "mine.png", "mine.csv"):
        (tmp_path / "exhibits" / kept).write_text(OURS)
    pages = {write_report(results, [("scale", "small")]) for _ in range(2)}
    assert pages == {tmp_path / "report-2.html"} and "# " in (tmp_path / "report-2.md").read_text()
    kept = [tmp_path / name, *(tmp_path / "exhibits").iterdir()]
    assert len(kept) == 5 and {path.read_text() for path in kept} == {OURS}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    return tmp_path


def train_classifier(*options):
    words = ["classifier", "avatars:n=200", "--images", "64", "--attributes", "Smiling", "--device", "cpu"]
    return main.run([*words, *options])


def test_classifiers_of_two_command_lines_are_two_folders(folder, capsys):
    for seed in ("0", "1", "0"):
        assert train_classifier("--seed", seed) == 0
    assert sorted(path.name for path in folder.glob("classifier*")) == ["classifier", "classifier-2"]
    assert "classifier in classifier;" in capsys.readouterr().out
    (folder / "classifier" / "notes.txt").write_text(OURS)
    assert train_classifier("--out", "classifier") == 1
    assert "holds 'notes.txt', which a new classifier would replace" in capsys.readouterr().err
    assert (folder / "classifier" / "notes.txt").read_text() == OURS
    assert ClassifierArgs("avatars").out is None


def test_a_demo_keeps_what_was_there(folder):
    result = train(tiny_run.tiny_config(), folder / "run", data=tiny_run.TinyData(), quiet=True)
    mine = ["samples.png", "over-time.png", "interpolation.json"]
    for name in mine:
        (folder / name).write_text(OURS)
    first, second = (demo._draw(result, folder) for _ in range(2))
    assert first == second, "the next sitting replaces what this one made"
    assert [path.name for path, _ in first] == ["samples-2.png", "interpolation-2.png", "over-time-2.png"]
    assert {(folder / name).read_text() for name in mine} == {OURS}


@pytest.mark.parametrize("names", [["a.txt"], ["model.bin", "a.txt"]])
def test_a_folder_of_other_things_is_not_replaced(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text(OURS)
    with pytest.raises(UserError, match=r"holds 'a\.txt', which a new thing would replace"):
        replaceable_folder(tmp_path, {"model.bin"}, "thing")
    (tmp_path / "a.txt").unlink()
    assert replaceable_folder(tmp_path, {"model.bin"}, "thing") == tmp_path
    with pytest.raises(UserError, match="is a file; a thing is a folder"):
        (tmp_path / "b").write_text(OURS)
        replaceable_folder(tmp_path / "b", (), "thing")
