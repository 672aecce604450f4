"""Folders that a command writes: what a user put there stays, and what the command made itself is replaced."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import tiny_run

import stylegenes
from stylegenes.analysis.exhibits.page import Heading, render_page
from stylegenes.cli import demo, main
from stylegenes.cli.classifier import Args as ClassifierArgs
from stylegenes.data import open_dataset
from stylegenes.data.shards.keeping import Kept
from stylegenes.errors import UserError
from stylegenes.explorer.site import export_site
from stylegenes.files import replaceable_folder
from stylegenes.model import open_model
from stylegenes.pictures import save_picture
from stylegenes.reproduction.report import write_report
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.scale import SMALL
from stylegenes.sheets import free_path, read_sheet
from stylegenes.training import train
from stylegenes.words import distinct

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


def test_the_cache_is_cleared_of_its_own_alone(folder, capsys):
    """The cache may be a disk that other things are kept on."""
    disk = folder / "cache"
    mine = ["datasets/ffhq/00001.png", "datasets/readme.txt", "shards/mine/shard-000000.npy", "index/notes.json"]
    for name in mine:
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).write_text(OURS)
    open_dataset("avatars:n=12", resolution=8)
    (disk / "shards" / ("a" * 32)).mkdir()
    (disk / "shards" / ("a" * 32) / "shard-000000.npy").write_text("x")
    assert main.run(["data", "cache"]) == 0 and "12 images" in capsys.readouterr().out
    assert main.run(["data", "cache", "--clear"]) == 0
    left = sorted(path.relative_to(disk).as_posix() for path in disk.rglob("*") if path.is_file())
    assert left == sorted(mine)


def test_shards_make_room_among_their_own(folder, monkeypatch):
    shards = folder / "cache" / "shards"
    own, mine = shards / ("a" * 32) / "shard-000000.npy", shards / "mine" / "shard-000000.npy"
    for path in (own, mine):
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(2**20))
    monkeypatch.setenv("STYLEGENES_SHARDS_GIB", str(1 / 1024))
    kept = Kept(None, "b" * 32)
    kept.folder.mkdir()
    assert kept._reserve(kept.folder / ".x.part", 1000)
    assert mine.exists() and not own.exists()


def test_a_published_tree_replaces_no_survey_and_no_notes(folder, capsys):
    for name in ("genes/survey/shard-0.safetensors", "genes/thesis.txt", ".git/HEAD", "samples/x.png"):
        place = folder / name.replace("/", "-")
        (place / name).parent.mkdir(parents=True)
        (place / name).write_text(OURS)
        assert main.run(["push", "avatars32", "me/faces", "--to", str(place), "--seeds", "0-1"]) == 1
        assert f"holds {name!r}" in capsys.readouterr().err and (place / name).read_text() == OURS
    for _ in range(2):
        assert main.run(["push", "avatars32", "me/faces", "--to", "tree", "--seeds", "0-1"]) == 0
    assert (folder / "tree" / "genes" / "summary.safetensors").is_file()


@pytest.mark.parametrize("added", [".git/HEAD", "CNAME", "assets/mine.png", "model/mine.onnx"])
def test_a_site_that_others_added_to_is_not_replaced(added, folder):
    pytest.importorskip("onnx")
    model = open_model("avatars32")
    export_site(model, folder / "site")
    export_site(model, folder / "site")
    (folder / "site" / added).parent.mkdir(exist_ok=True)
    (folder / "site" / added).write_text(OURS)
    with pytest.raises(UserError, match=re.escape(f"holds {added!r}")):
        export_site(model, folder / "site")
    assert (folder / "site" / added).read_text() == OURS


def test_a_run_takes_no_folder_of_others(folder, capsys):
    for number in range(3):
        save_picture(folder / "mine" / "samples" / f"{number:06d}.png", np.zeros((8, 8, 3), np.uint8))
        save_picture(folder / "classes" / "cat" / f"{number}.png", np.full((8, 8, 3), number, np.uint8))
    (folder / "app").mkdir()
    (folder / "app" / "config.json").write_text('{"port": 80}')
    for source, out, says in (
        ("avatars:n=12", "mine", "holds samples/"),
        ("avatars:n=12", "app", "is no run's"),
        ("classes", "classes", "lies among the pictures"),
        ("classes", "classes/run", "lies among the pictures"),
    ):
        assert main.run(["train", source, "--out", out, "--recipe", "tiny32", "--kimg", "0.016"]) == 1
        assert says in capsys.readouterr().err
    assert json.loads((folder / "app" / "config.json").read_text()) == {"port": 80}
    assert len(list((folder / "mine" / "samples").iterdir())) == 3 and not (folder / "classes" / "samples").exists()


def test_grids_of_a_run_make_room_among_their_own(folder):
    config = tiny_run.tiny_config("intervals.image_kimg=0.008", "intervals.keep_images=2")
    train(config, folder / "run", data=tiny_run.TinyData(), quiet=True)
    save_picture(folder / "run" / "samples" / "000000_004.png", np.zeros((8, 8, 3), np.uint8))
    train(replace(config, kimg=0.16), folder / "run", data=tiny_run.TinyData(), quiet=True)
    names = sorted(path.name for path in (folder / "run" / "samples").glob("0*.png"))
    assert "000000_004.png" in names and "000000_160.png" in names and len(names) == 3


@pytest.mark.parametrize(
    ("words", "suffixes"),
    [
        (["sample", "avatars32", "--seeds", "0-1", "--out", "x.png"], [".json"]),
        (["walk", "avatars32", "--keyframes", "3,8", "--seconds", "0.2", "--out", "x.gif"], [".json"]),
        (["edit", "avatars32", "--set", "Smiling=1", "--method", "statistics", "--out", "x.png"], [".csv", ".json"]),
        (["breed", "avatars32", "--parents", "3,8", "--out", "x.png"], [".csv", ".json", ".lineage.json"]),
    ],
)
def test_what_is_written_beside_a_picture_replaces_nothing_of_others(words, suffixes, folder, capsys):
    for suffix in suffixes:
        (folder / f"x{suffix}").write_text(OURS)
        assert main.run(words) == 1
        assert f"x{suffix} would be replaced" in capsys.readouterr().err
        assert [path.name for path in folder.iterdir() if path.is_file()] == [f"x{suffix}"]
        assert (folder / f"x{suffix}").read_text() == OURS
        (folder / f"x{suffix}").unlink()
    assert main.run(words) == main.run(words) == 0, "its own are replaced"


def test_lists_of_codes_are_our_own_in_any_format(folder):
    """The same pictures as another format, a film of the same name, and again once the picture was deleted."""
    for out in ("x.png", "x.webp", "x.png"):
        assert main.run(["sample", "avatars32", "--seeds", "0-1", "--out", out]) == 0
    assert main.run(["walk", "avatars32", "--keyframes", "3,8", "--seconds", "0.2", "--out", "x.gif"]) == 0
    for path in folder.glob("x.*[!n]"):
        path.unlink()
    assert (folder / "x.json").exists()
    assert main.run(["sample", "avatars32", "--seeds", "0-1", "--out", "x.png"]) == 0


def test_a_place_is_refused_before_the_work(folder, capsys, monkeypatch):
    (folder / "x.csv").write_text(OURS)
    monkeypatch.setattr("stylegenes.model.open_model", None)
    for words in (["breed", "avatars32", "--parents", "3,8"], ["edit", "avatars32", "--set", "all", "--study", "9"]):
        assert main.run([*words, "--out", "x.png"]) == 1
        assert "x.csv would be replaced" in capsys.readouterr().err


def test_a_drawn_set_is_no_folder_of_its_name(folder, monkeypatch):
    monkeypatch.delenv("STYLEGENES_CACHE")
    (folder / "avatars" / "0001").mkdir(parents=True)
    assert main.run(["train", "avatars:n=12", "--out", "avatars/0001", "--recipe", "tiny32", "--dry-run"]) == 0
    assert main.run(["train", "avatars", "--out", "avatars/0001", "--recipe", "tiny32", "--dry-run"]) == 0


def test_pictures_of_codes_that_begin_alike_are_files_of_their_own(folder):
    codes = ["rC91wEP7w2" + rest for rest in ("", "a", "b")]
    assert distinct(codes) == codes
    assert distinct(["a", "A", "a", "a-2", "b"]) == ["a", "A-3", "a-4", "a-2", "b"]
    model = open_model("avatars32")
    (parent,) = model.choose(seeds=[3]).strings
    family = [parent, *model.mutants(parent, 5, rate=0.02)]
    (folder / "codes.txt").write_text("\n".join(family))
    assert main.run(["sample", "avatars32", "--codes", "codes.txt", "--out", "faces"]) == 0
    listed = json.loads((folder / "faces" / "codes.json").read_text())["codes"]
    assert len({row["file"] for row in listed}) == len(family) == len(list((folder / "faces").glob("*.png")))
    for row in listed:
        assert read_sheet(folder / "faces" / row["file"]).codes == [row["code"]]


@pytest.mark.parametrize("name", ["/tmp/x", "../../x", "..", "a/b", "a\\b"])
def test_a_card_names_no_place_of_its_own(name, folder):
    stylegenes.open("avatars32").save("evil")
    card = json.loads((folder / "evil" / "card.json").read_text())
    (folder / "evil" / "card.json").write_text(json.dumps({**card, "name": name}))
    before = set(folder.rglob("*"))
    (folder / "here").mkdir()
    assert main.run(["sample", "evil", "--seeds", "0"]) == 0
    new = set(folder.rglob("*")) - before - {folder / "here"}
    assert len(new) == 2 and {path.parent for path in new} == {folder}


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
