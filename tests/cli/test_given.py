"""No option is ignored in silence: what means nothing beside the others is refused before any work."""

import pytest

from stylegenes.cli import main

MODEL, CODE = "no-such-model", "AbC"
WHICH = "each say which"


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()


def told(capsys, *argv) -> str:
    assert main.run(list(argv)) == main.FAILED
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["sample", MODEL, "--temperature", "9"], "--temperature says how strictly a wish is met"),
        (["sample", MODEL, "--temperature", "0.3", "--seeds", "3"], "add --where"),
        (["sample", MODEL, "--seeds", "3", "--codes", CODE], "--seeds, --codes and --count each say which"),
        (["edit", MODEL, "--set", "Hat=1", "--seed", "3", "--code", CODE], f"--seed and --code {WHICH} picture"),
        (["edit", MODEL, "--set", "Hat=1", "--seed", "3", "--code", CODE, "--traverse", "1"], WHICH),
        (["mesh", MODEL, "--seed", "5", "--code", CODE], f"--seed and --code {WHICH} code to take; give one of them"),
        (["mesh", MODEL, "--level", "5", "--out", "d.npz"], "--level chooses a surface"),
        (["mesh", MODEL, "--level", "5", "--out", "d.NPZ"], "leave it out"),
        (["orbit", MODEL, "--seeds", "9", "--codes", CODE], f"--seeds and --codes {WHICH} codes to see"),
        (["orbit", MODEL, "--codes", CODE, "--seeds", "9", "--out", "a.gif"], WHICH),
        (["interpolate", MODEL, "--seeds", "7,8", "--codes", CODE], f"--seeds and --codes {WHICH}"),
        (["move", MODEL, "w-l1", "Hat", "--seeds", "7", "--codes", CODE], f"--seeds and --codes {WHICH} codes to move"),
        (["noise", MODEL, "--seeds", "7", "--codes", CODE], f"--seeds and --codes {WHICH} codes to study"),
        (["nearest", MODEL, "--seeds", "7", "--codes", CODE], f"--seeds and --codes {WHICH} pictures to look up"),
        (["noise", MODEL, "--boundary", "-1"], "--boundary is -1; the largest coarse resolution has at least 1 pixel"),
        (["noise", MODEL, "--boundary", "0"], "--boundary is 0"),
        (["breed", MODEL, "--cross", "block", "--genes", "0-7"], f"--cross and --genes {WHICH} genes come from"),
        (["data", "pack", "photos", "--out", "p", "--resolution", "8", "--shard-size", "1MB"], "add --shards"),
        (["explore", MODEL, "--export", "site", "--host", "0.0.0.0"], "--host is for a page that is served"),
        (["explore", MODEL, "--export", "site", "--port", "9000"], "--port is for"),
        (["explore", MODEL, "--export", "site", "--token", "x"], "--token is for"),
        (["explore", MODEL, "--export", "site", "--sessions", "s.sqlite"], "--sessions is for"),
        (["explore", MODEL, "--export", "site", "--open"], "--open is for"),
    ],
)
def test_an_option_that_means_nothing_is_refused(argv, words, capsys, tmp_path):
    assert words in told(capsys, *argv)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"], "and nothing is written"


@pytest.mark.parametrize(
    "argv",
    [
        ["sample", MODEL, "--where", "Hat=1", "--temperature", "9"],
        ["sample", MODEL, "--temperature", "0.5"],
        ["edit", MODEL, "--set", "Hat=1", "--code", CODE],
        ["edit", MODEL, "--set", "all", "--study", "8", "--seed", "3"],
        ["mesh", MODEL, "--level", "5", "--out", "d.glb"],
        ["mesh", MODEL, "--seed", "5", "--out", "d.npz"],
        ["orbit", MODEL, "--codes", CODE],
        ["orbit", MODEL, "--seeds", "0-3", "--codes", CODE],
        ["interpolate", MODEL, "--codes", CODE],
        ["noise", MODEL, "--codes", CODE, "--boundary", "1"],
        ["breed", MODEL, "--cross", "block"],
        ["breed", MODEL, "--genes", "0-7"],
        ["explore", MODEL, "--export", "site", "--label", "1"],
        ["explore", MODEL, "--host", "127.0.0.1", "--port", "0"],
    ],
)
def test_options_that_mean_something_come_as_far_as_the_model(argv, capsys):
    assert MODEL in told(capsys, *argv)


EMPTY = [
    ["sample", MODEL, "--out", ""],
    ["sample", MODEL, "--out="],
    ["sample", MODEL, "-o", ""],
    ["walk", MODEL, "--out", ""],
    ["walk", MODEL, "--sound", ""],
    ["interpolate", MODEL, "--seeds", "1,2", "--out", ""],
    ["invert", MODEL, "photos", "--out", ""],
    ["export", MODEL, "--onnx", ""],
    ["export", MODEL, "--pt2", ""],
    ["evaluate", MODEL, "--data", "photos", "--out", ""],
    ["edit", MODEL, "--set", "Hat=1", "--out", ""],
    ["edit", MODEL, "--set", "Hat=1", "--classifier", ""],
    ["prune", MODEL, "--num", "4", "--out", ""],
    ["train", "photos", "--out", ""],
    ["demo", "--folder", ""],
    ["data", "pack", "photos", "--resolution", "8", "--out", ""],
    ["data", "avatars", "--out", ""],
    ["data", "check", "photos", "--sheet", ""],
    ["data", "cameras", "photos", "--picture", ""],
    ["explore", MODEL, "--export", ""],
    ["import", "a.pkl", ""],
]


@pytest.mark.parametrize("argv", EMPTY, ids=" ".join)
def test_an_empty_path_is_refused(argv, capsys, tmp_path):
    flag = next((word.rstrip("=") for word in reversed(argv) if word.startswith("-")), "OUT")
    name = {"-o": "--out"}.get(flag, flag)
    assert f"error: {name} is empty, as a shell variable that is not set is; give a path" in told(capsys, *argv)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize("place", [".", "./", "photos/.."])
def test_the_current_folder_may_be_named(place, tmp_path, capsys):
    argv = ["sample", "avatars32", "--seeds", "3", "--device", "cpu", "--out", place, "--label", ""]
    assert "unconditional" in told(capsys, *argv), "another option may be empty"
    assert main.run(argv[:-2]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codes.json", "photos", "seed3.png"]


@pytest.mark.parametrize(
    "source",
    [
        "https://exa mple.org/x",
        "https://example.org:port/x",
        "https://[::1/x",
        "http://",
        "https://.example.invalid/x",
        "https://" + "a" * 64 + ".invalid/",
        "http://127.0.0.1:9/x\n",
    ],
)
def test_an_address_that_is_none_cannot_be_downloaded(source, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "cache"))
    assert main.run(["fetch", "inception", "--source", source]) == main.FAILED
    assert capsys.readouterr().err.startswith("error: cannot download http")


@pytest.mark.parametrize("layers", ["9" * 8, "9" * 20, "9" * 40])
def test_more_layers_than_any_model_has_are_refused(layers, capsys):
    said = told(capsys, "sample", "avatars32", "--seeds", "0", "--device", "cpu", "--psi", f"0.7:{layers}")
    assert "leading layers; give at most 1,000,000" in said
