"""Mixtures, ways, files and lines: what is downloaded and pasted draws the very same pictures again."""

import shlex
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import stylegenes
from stylegenes.cli.main import run
from stylegenes.explorer import compare
from stylegenes.pictures import read_text
from stylegenes.sheets import read_sheet


@pytest.fixture
def pair(either):
    answer = either.post("/api/v1/dice", json={"count": 2, "seed": 3}).json()
    return [child["code"] for child in answer["children"]]


def picture(client, code, look="plain"):
    answer = client.get(f"/api/v1/pictures/{client.desk.hash}/{look}/{code}.png")
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(BytesIO(answer.content)))


def test_a_way_begins_and_ends_with_its_codes(either, pair):
    codes = either.post("/api/v1/between", json={"start": pair[0], "end": pair[1], "steps": 4}).json()["codes"]
    assert codes[0] == pair[0] and codes[-1] == pair[1] and len(codes) == 5
    theirs = either.desk.model.interpolate(4, codes=pair).pictures
    assert all(np.array_equal(picture(either, code), one) for code, one in zip(codes, theirs, strict=True))


def test_a_grid_of_mixtures_is_that_of_the_command_line(either, pair):
    cells = either.post("/api/v1/mix", json={"rows": pair[:1], "columns": pair[1:], "band": "coarse"}).json()["cells"]
    assert np.array_equal(picture(either, cells[0][0]), either.desk.model.mix("coarse", codes=pair).pictures[-1])
    layers = {"rows": pair[:1], "columns": pair[1:], "band": "0+1+2"}
    assert either.post("/api/v1/mix", json=layers).json()["cells"] == cells
    assert either.post("/api/v1/mix", json={**layers, "band": "99"}).status_code == 422


@pytest.mark.parametrize(
    ("asked", "frames"),
    [
        ({"kind": "sheet", "format": "png", "captions": ["a", "b"]}, 1),
        ({"kind": "sheet", "format": "gif"}, 2),
        ({"kind": "mix", "format": "webp", "band": "fine"}, 1),
        ({"kind": "way", "format": "png", "steps": 3}, 1),
        ({"kind": "way", "format": "gif", "steps": 3}, 6),
        ({"kind": "way", "format": "webp", "steps": 3, "moving": True}, 6),
    ],
)
def test_files_carry_their_codes(either, pair, asked, frames, tmp_path):
    answer = either.post("/api/v1/files", json={"codes": pair, "look": "psi=0.8", **asked})
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    path = tmp_path / f"file.{asked['format']}"
    path.write_bytes(answer.content)
    carried = read_sheet(path)
    assert carried.codes == pair and carried.origin.psi == "0.8"
    assert getattr(Image.open(path), "n_frames", 1) == frames


def test_files_that_cannot_be_are_refused(either, pair):
    for wrong in (
        {"kind": "way", "format": "png", "moving": True},
        {"kind": "mix", "codes": pair[:1]},
        {"kind": "sheet", "captions": ["a"]},
        {"kind": "way", "codes": pair * 32, "steps": 120},
    ):
        assert either.post("/api/v1/files", json={"codes": pair, "kind": "sheet", **wrong}).status_code == 422


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"kind": "mix", "codes": 64}, 3 * 33 * 33),
        ({"kind": "mix", "codes": 3, "band": "fine"}, 6),
        ({"kind": "way", "codes": 32, "steps": 120, "format": "gif"}, 32 * 121),
        ({"kind": "sheet", "codes": 5}, 5),
    ],
)
def test_files_are_bounded_in_pictures_and_in_pixels(either, pair, asked, count, monkeypatch):
    asked = asked | {"codes": (pair * 32)[: asked["codes"]]}
    monkeypatch.setattr(compare, "_MOST_PIXELS", (count - 1) * 32 * 32)
    answer = either.post("/api/v1/files", json=asked)
    assert answer.status_code == 422
    assert f"{count:,} pictures; at most {min(count - 1, 2000):,} of 32x32" in answer.json()["detail"]
    if count < 100:
        monkeypatch.setattr(compare, "_MOST_PIXELS", count * 32 * 32)
        assert either.post("/api/v1/files", json=asked).status_code == 200


def test_the_python_line_draws_the_same(either, pair):
    middle = either.post("/api/v1/between", json={"start": pair[0], "end": pair[1], "steps": 2}).json()["codes"][1]
    for codes, look in ((pair[:1], "plain"), (pair, "psi=0.7:3"), ([middle], "psi=0.5,noise=none")):
        lines = either.post("/api/v1/lines", json={"codes": codes, "look": look}).json()
        sheet = eval(lines["python"], {"stylegenes": stylegenes})
        for code, one in zip(codes, sheet.pictures, strict=True):
            assert np.array_equal(picture(either, code, look), one)
        words = shlex.split(lines["cli"])
        assert words[:3] == ["stylegenes", "sample", str(either.desk.model.reference)]


def test_the_command_line_draws_the_same(genome, tmp_path, monkeypatch):
    dice = genome.post("/api/v1/dice", json={"count": 2, "seed": 3}).json()
    pair = [child["code"] for child in dice["children"]]
    cells = genome.post("/api/v1/mix", json={"rows": pair[:1], "columns": pair[1:]}).json()["cells"]
    asked = {"codes": [pair[0], cells[0][0]], "look": "psi=0.7,noise=none"}
    lines = genome.post("/api/v1/lines", json=asked).json()
    answer = genome.post("/api/v1/files", json={"kind": "sheet", **asked})
    assert answer.status_code == 200, answer.text
    sheet = answer.content
    monkeypatch.chdir(tmp_path)
    assert run([*shlex.split(lines["cli"])[1:], "--out", "a.png"]) == 0
    theirs = read_sheet(tmp_path / "a.png")
    assert theirs.codes == asked["codes"] and (theirs.origin.psi, theirs.origin.noise) == ("0.7", "none")
    ours = np.asarray(Image.open(BytesIO(sheet)))
    drawn = np.asarray(Image.open(tmp_path / "a.png"))
    assert np.array_equal(ours[:130], drawn[:130])


@pytest.fixture(scope="module")
def scenes(client_of):
    return client_of(stylegenes.open("scenes32", device="cpu"))


def saved(path, answer):
    """The file of an answer."""
    assert answer.status_code == 200, answer.text
    path.write_bytes(answer.content)
    return path


@pytest.mark.parametrize(
    ("look", "view"),
    [
        ("yaw=30,pitch=10", {"Yaw": "30", "Pitch": "10"}),
        ("psi=0.7,yaw=-20.1234567,fov=30", {"Yaw": "-20.1235", "Fov": "30"}),
        ("pitch=0", {"Pitch": "0"}),
        ("plain", {}),
    ],
)
def test_a_view_is_kept_by_files_and_lines(scenes, look, view, tmp_path, monkeypatch):
    model, here = scenes.desk.model, f"/api/v1/pictures/{scenes.desk.hash}/{look}"
    a, b = model.choose(seeds=[3, 4]).strings
    lines = scenes.post("/api/v1/lines", json={"codes": [a], "look": look}).json()
    monkeypatch.chdir(tmp_path)
    assert run([*shlex.split(lines["cli"])[1:], "--out", "theirs"]) == 0
    (theirs,) = (tmp_path / "theirs").glob("*.png")
    shown = picture(scenes, a, look)
    assert np.array_equal(shown, np.asarray(Image.open(theirs)))
    assert np.array_equal(shown, eval(lines["python"], {"stylegenes": stylegenes}).pictures[0])
    told = read_text(theirs)
    assert {key: told[key] for key in ("Yaw", "Pitch", "Fov") if key in told} == view
    ours = read_text(saved(tmp_path / "ours.png", scenes.get(f"{here}/{a}.png")))
    assert ours == {key: value for key, value in told.items() if key != "Made"}
    question = {"codes": [a, b], "look": look}
    for kind, more in (("sheet", {}), ("way", {"steps": 1})):
        answer = scenes.post("/api/v1/files", json={"kind": kind, **question, **more})
        assert read_sheet(saved(tmp_path / f"{kind}.png", answer)).origin.more == view
    apart = scenes.get(f"/api/v1/differences/{scenes.desk.hash}/{look}/{a}/{b}.png")
    assert view.items() <= read_text(saved(tmp_path / "apart.png", apart)).items()


def test_a_saved_view_is_drawn_again_from_its_file(scenes, tmp_path):
    (code,) = scenes.desk.model.choose(seeds=[3]).strings
    place = saved(tmp_path / "a.png", scenes.get(f"/api/v1/pictures/{scenes.desk.hash}/yaw=30,pitch=10/{code}.png"))
    (again,) = scenes.desk.model.sample(codes=str(place)).pictures
    assert np.array_equal(again, np.asarray(Image.open(place)))
    assert not np.array_equal(again, picture(scenes, code))


def test_a_difference_is_where_pictures_differ(either, pair):
    address = f"/api/v1/differences/{either.desk.hash}/plain"
    shown = np.asarray(Image.open(BytesIO(either.get(f"{address}/{pair[0]}/{pair[1]}.png").content)))
    first, second = (picture(either, code).astype(int) for code in pair)
    assert np.array_equal(shown, abs(first - second).max(axis=2))
    same = np.asarray(Image.open(BytesIO(either.get(f"{address}/{pair[0]}/{pair[0]}.png").content)))
    assert not same.any()
