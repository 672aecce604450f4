"""Minutes on a device, rehearsed on the CPU: what a slot packs, the next one and a desk at home go on from."""

import json
import re
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from stylegenes.cli import slot
from stylegenes.cli.parcels import MANIFEST, MOST_PARTS, PART_BYTES, open_parcel, write_parcel
from stylegenes.errors import UserError
from stylegenes.training.state import STATE_FILE, read_state

QUICK = {"recipe": "tiny32", "data": "avatars:n=60", "device": "cpu", "set": ("batch.total=4",)}
LIMIT_FILES, LIMIT_BYTES = 8, 60 * 2**20


def images(folder: Path) -> int:
    return read_state(folder / "run" / STATE_FILE).counters.images


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    slot.run(slot.Args(folder, minutes=0.05, fakes=20, **QUICK))
    return folder


def test_a_slot_leaves_few_small_files_that_say_what_happened(first):
    files = list((first / "parcel").iterdir())
    assert len(files) <= LIMIT_FILES and sum(f.stat().st_size for f in files) <= LIMIT_BYTES
    assert max(f.stat().st_size for f in files) <= PART_BYTES
    report = (first / "parcel" / "report.txt").read_text()
    assert "images so far" in report and "evaluation:" in report and "FAILED" not in report
    assert (first / "parcel" / "samples.png").stat().st_size > 1000
    assert json.loads((first / "run" / "metric-fd_lite0.jsonl").read_text().splitlines()[-1])


def test_the_next_slot_goes_on_where_it_was_packed(first, tmp_path):
    slot.run(slot.Args(tmp_path / "next", minutes=0.02, fakes=0, bring=first / "parcel", **QUICK))
    assert images(tmp_path / "next") > images(first) > 0


def test_at_home_it_is_unpacked_with_its_snapshot(first, tmp_path, capsys):
    home = tmp_path / "home"
    slot.run(slot.Args(home, minutes=0, bring=first / "parcel"))
    assert images(home) == images(first)
    ours, theirs = (load_file(f / "run/snapshots/last/model.safetensors") for f in (home, first))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)
    slot.run(slot.Args(home, minutes=0, bring=first / "parcel"))
    assert "kept as it is" in capsys.readouterr().out


def test_a_parcel_that_is_not_whole_is_refused(first, tmp_path):
    parcel = tmp_path / "parcel"
    parcel.mkdir()
    for path in (first / "parcel").glob("parcel*"):
        (parcel / path.name).write_bytes(path.read_bytes())
    part = parcel / "parcel-0.bin"
    content = bytearray(part.read_bytes())
    content[100] ^= 1
    part.write_bytes(bytes(content))
    with pytest.raises(UserError, match=r"parcel-0.bin is damaged"):
        open_parcel(parcel, tmp_path / "to")
    part.unlink()
    with pytest.raises(UserError, match=r"parcel-0.bin is missing"):
        open_parcel(parcel, tmp_path / "to")
    (parcel / MANIFEST).unlink()
    with pytest.raises(UserError, match=r"has no parcel\.json"):
        open_parcel(parcel, tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 10240, PART_BYTES, MOST_PARTS * PART_BYTES // 2])
def test_parcels_come_back_whole(tmp_path, size, monkeypatch):
    monkeypatch.setattr("stylegenes.cli.parcels.PART_BYTES", max(PART_BYTES // 1024, 1))
    content = bytes(range(256)) * (size // 1024 // 256 + 1)
    (tmp_path / "a" / "b").mkdir(parents=True)
    file = tmp_path / "a" / "b" / "c.bin"
    file.write_bytes(content)
    write_parcel(tmp_path / "a", [file], tmp_path / "out")
    open_parcel(tmp_path / "out", tmp_path / "back")
    assert (tmp_path / "back" / "b" / "c.bin").read_bytes() == content
    write_parcel(tmp_path / "a", [], tmp_path / "out")
    assert len(list((tmp_path / "out").glob("parcel-*.bin"))) == 1, "parts of the larger parcel are gone"


def test_what_is_too_large_is_not_packed(tmp_path, monkeypatch):
    monkeypatch.setattr("stylegenes.cli.parcels.MOST_BYTES", 2**20)
    (tmp_path / "state").write_bytes(bytes(2**21))
    with pytest.raises(UserError, match="a parcel 1 at most"):
        write_parcel(tmp_path, [tmp_path / "state"], tmp_path / "out")


def test_the_recipe_for_a_slot_fits_into_a_parcel():
    from stylegenes.cli.parcels import MOST_BYTES
    from stylegenes.discriminators import DISCRIMINATORS
    from stylegenes.generator import Generator
    from stylegenes.recipes import recipe

    told = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text()
    for name in ("avatars64", "avatars64-mapping"):
        model = recipe(name).model
        G = Generator.from_spec({"latent": model.latent, "synthesis": model.synthesis})
        D = DISCRIMINATORS.build(model.discriminator)
        count = [sum(p.numel() for p in m.parameters()) for m in (G, D)]
        # Networks, running average and both moments of each player's optimizer.
        size = 4 * (4 * count[0] + 3 * count[1]) / 2**20
        assert size + 3 < MOST_BYTES / 2**20, "grids and logs take some too"
        assert re.search(rf"`{name}`(?: takes)? {size:.0f}\b", told), (
            f"docs/training.md says another size than {size:.1f}"
        )


def test_checks_and_benchmark_have_their_time(first, tmp_path, monkeypatch, capsys):
    """They are stopped when it is over, and training goes on."""
    from stylegenes.cli import slot_work

    monkeypatch.setattr(slot_work, "TOO_SHORT", 0.0)
    work = slot.begin(slot.Args(tmp_path, minutes=0.1, device="cpu"))
    work._side_process([sys.executable, "-c", "import time; time.sleep(60)"], 0.3, Path(__file__), "checks.txt")
    work._side_process([sys.executable, "-c", "print('3 passed')"], 30, Path(__file__), "checks.txt")
    work._side_process([sys.executable, "-c", "raise SystemExit('broken')"], 30, Path(__file__), "benchmark.txt")
    told = capsys.readouterr().out
    assert "checks.txt: not done after 0 s" in told and "checks.txt: 3 passed" in told
    assert "benchmark.txt: ended with an error, broken" in told


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"minutes": -1.0}, "leaves no time"),
        ({"minutes": 0.0}, "--bring names"),
        ({"device": "cuda:1"}, "CUDA_VISIBLE_DEVICES=1"),
        ({"data": "nowhere"}, "there is no nowhere"),
        ({"recipe": "tiny33"}, "unknown recipe"),
        ({"set": ("batch.total=6",)}, "does not divide"),
        ({"set": ("data.resolution=33",)}, "33"),
    ],
)
def test_what_cannot_be_done_is_told_before_time_is_spent(tmp_path, monkeypatch, given, complaint):
    from stylegenes.cli import slot_work

    monkeypatch.setattr(slot_work.subprocess, "Popen", None)
    with pytest.raises(UserError, match=complaint):
        slot.run(slot.Args(tmp_path, **{**QUICK, "minutes": 1.0, **given}))


def test_a_part_that_fails_leaves_the_others_their_time(tmp_path, capsys):
    """Whatever it failed by: what comes after it is packing."""
    work = slot.begin(slot.Args(tmp_path, minutes=0.1, device="cpu"))
    for error in (IndexError("out of range"), ValueError(), UserError("no such thing")):
        with work._part("samples"):
            raise error
    with work._part("drawn"):
        work._draw()
    told = capsys.readouterr().out
    assert "samples: FAILED, out of range" in told and "samples: FAILED, ValueError" in told
    assert "drawn: FAILED, training drew no grid" in told
    with pytest.raises(KeyboardInterrupt), work._part("checks"):
        raise KeyboardInterrupt
