"""A newcomer's mistakes, on every verb: no traceback, and a sentence that says what was given and what is allowed."""

import re

import pytest
from PIL import Image

from stylegenes.cli import main

MODEL, JUDGE = "avatars32", "avatars32-judge"
NEEDS = {
    "sample": [],
    "interpolate": ["--seeds", "1,2"],
    "invert": ["photos"],
    "export": ["--onnx", "model.onnx"],
    "evaluate": ["--data", "photos"],
    "survey": ["--classifier", JUDGE],
    "stats": [],
    "edit": ["--set", "Smiling=1"],
    "breed": ["--parents", "3,8"],
    "prune": ["--num", "4", "--out", "pruned"],
    "tradeoff": ["--second", "avatars32-second-judge", "--wishes", "Hat=1"],
    "correlate": [],
    "report": [],
    "directions": ["--classifier", JUDGE],
    "move": ["directions/w-l1", "Smiling"],
    "pca": [],
    "noise": [],
    "nearest": [],
}
"""Verbs that take a model first, and what else each cannot do without."""
WRITES = {
    "sample": "--out", "interpolate": "--out", "invert": "--out", "export": "--onnx", "evaluate": "--out",
    "edit": "--out", "breed": "--out", "prune": "--out", "report": "--out", "directions": "--out", "move": "--out",
    "pca": "--out", "noise": "--out", "nearest": "--out",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    Image.new("RGB", (32, 32)).save(tmp_path / "photos" / "a.png")


def complaint(capsys, *argv):
    """The one sentence that a mistake is answered with."""
    try:
        status = main.run(list(argv))
    except SystemExit as stopped:
        status = stopped.code
    told = capsys.readouterr().err
    assert status in (1, 2), f"{argv} was accepted"
    assert re.fullmatch(r"error: .+\n", told), told
    return told


@pytest.mark.parametrize("verb", sorted(NEEDS))
@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("avatars23", "did you mean 'avatars32'?"),
        (JUDGE, "is a classifier"),
        ("photos", "has no config.json"),
        ("notes.txt", "is a file"),
        ("", "not a snapshot|a set of pictures"),
        ("-x", "./-name"),
    ],
)
def test_what_is_no_model_is_told_apart(verb, model, words, capsys):
    told = complaint(capsys, verb, model, *NEEDS[verb])
    if verb == "evaluate" and model in ("photos", "notes.txt"):
        words = "as a set of pictures"
    assert re.search(words.replace("?", r"\?"), told), told


@pytest.mark.parametrize("verb", sorted(WRITES))
@pytest.mark.parametrize("place", ["/proc/there/x.png", "notes.txt/x.png"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(verb, place, capsys):
    told = complaint(capsys, verb, "no-such-model", *NEEDS[verb], WRITES[verb], place)
    assert place in told
    assert "cannot be written" in told
    assert "choose another place" in told
    assert ".part" not in told


@pytest.mark.parametrize("verb", sorted(main.VERBS))
def test_unknown_options_and_words(verb, capsys):
    told = complaint(capsys, verb, *(["check", "photos"] if verb == "data" else []), "--surely-not=1")
    assert "--surely-not" in told or "also needs" in told
    assert f"stylegenes {verb}{' check' if verb == 'data' else ''} --help" in told


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["sample", MODEL, "--seedz", "3"], "no option --seedz; did you mean --seeds?"),
        (["sample", MODEL, "--count", "x"], "--count is 'x', which is not a whole number"),
        (["train", "photos", "--kimg", "many"], "--kimg is 'many', which is not a number"),
        (["train", "photos", "--accelerator", "gpu"], "did you mean 'cuda'? accepted: auto, cpu, cuda, mps"),
        (["sample", MODEL, "--out"], "--out has no value"),
        (["data"], "followed by one of check, avatars, scenes, pack, cameras, cache"),
        (["data", "chekc", "photos"], "did you mean 'check'?"),
        (["breed", MODEL, "--parents", "3,8", "--count", "100000000"], "at least one child is needed, and at most"),
        (["breed", MODEL, "--parents", "3,8", "--mutation", "nan"], "--mutation is nan, which is no finite number"),
        (["invert", MODEL, "photos", "--steps", "1000000000"], "--steps and --tuning-steps are at most 1,000,000"),
        (["evaluate", MODEL, "--data", "photos", "-n", "99999999999"], "--num is 99999999999; at most 1,000,000,000"),
        (["train", "photos", "--dry-run", "--price", "inf"], "--price is inf, which is no finite number"),
        (["walk", MODEL, "--fps", "nan"], "--fps is nan, which is no finite number"),
        (["sample", MODEL, "--psi", "1e40"], "psi is a number from -1000 to 1000"),
        (["sample", MODEL, "--codes", "nix.png"], "there is no file nix.png"),
        (["sample", MODEL, "--codes", "nix.txt"], "there is no file nix.txt"),
        (
            ["data", "pack", "photos", "--out", "p.zip", "--resolution", "8"],
            "what is written is a folder; give it a name",
        ),
        (["data", "check"], "error: stylegenes data check also needs PATH (Folder"),
        (["data", "pack", "photos"], "error: stylegenes data pack also needs --out (New folder.), and --resolution"),
        (["data", "check", "photos", "more"], "stylegenes data check does not know what to do with 1 word too many"),
        (["edit", MODEL, "--set", "Smiling=1", "--seed", "-1"], "from 0 to 2^63 - 1"),
        (["edit", MODEL, "--set", "Smiling=1", "--seed", str(10**30)], "from 0 to 2^63 - 1"),
        (["edit", MODEL, "--set", "Smilling=1"], "did you mean 'Smiling'?"),
        (["directions", MODEL, "--classifier", JUDGE, "--attributes", "Smil"], "did you mean 'Smiling'?"),
        (["move", MODEL, "missing", "Smiling"], "stylegenes directions or stylegenes pca wrote"),
        (["train", MODEL, "--out", "run"], "stylegenes train DATA --init-from avatars32"),
        (["train", "photso", "--out", "run", "--recipe", "tiny33"], "did you mean 'tiny32'?"),
        (["evaluate", MODEL, "--data", "photso"], "did you mean photos?"),
        (["evaluate", MODEL, "--data", "photos", "--metrics", "fid"], "did you mean 'fd'?"),
        (["survey", MODEL, "--classifier", "avatar32-judge"], "did you mean 'avatars32-judge'?"),
        (["doctor", "--device", "gpu"], "did you mean 'cuda'; --device takes cpu, cuda, cuda:1 ..., mps, or auto"),
        (["fetch", "inception"], "pt_inception-2015-12-05-6726825d.pth"),
        (["import", "missing.pkl", "out"], "there is no file or folder missing.pkl"),
        (["evolution", "missing"], "missing does not exist"),
        (["breed", MODEL, "--generations", "-2", "--fitness", "Smiling=1"], "--generations is -2"),
        (["breed", MODEL, "--parents", "3"], "--parents names 1"),
        (["tradeoff", MODEL, "--second", JUDGE, "--wishes", "Smiling=1"], "--seed 1"),
    ],
)
def test_a_mistake_is_answered_in_a_sentence(argv, words, capsys):
    assert words in complaint(capsys, *argv)
