"""Files of tensors: a changed bit anywhere, or a file cut anywhere, is refused in words."""

import os
import random
from pathlib import Path

import pytest
import tiny_run
import torch
from safetensors.torch import load_file, save_file

from stylegenes.analysis.statistics import VariantStatistics
from stylegenes.analysis.summary import Summary
from stylegenes.errors import UserError
from stylegenes.sealed import checksum, load_sealed, save_sealed
from stylegenes.snapshot import MODELS
from stylegenes.survey import SurveyPlan
from stylegenes.training.state import STATE_FILE, read_state


@pytest.fixture(scope="module")
def state(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    tiny_run.train(
        tiny_run.tiny_config("kimg=0.008"),
        folder,
        data=tiny_run.TinyData(),
        machine=tiny_run.Machine("cpu"),
        quiet=True,
    )
    return folder / STATE_FILE


@pytest.fixture(scope="module")
def statistics() -> VariantStatistics:
    sums = torch.rand(2, 3, 4, 2)
    return VariantStatistics(["a", "b"], torch.rand(2, 3, 4) * 9, sums, sums / 2, torch.zeros(2), torch.ones(2))


@pytest.fixture(scope="module")
def files(tmp_path_factory, state, statistics) -> dict:
    """One file of each kind with its reader."""
    folder = tmp_path_factory.mktemp("files")
    plan = SurveyPlan("m", "c", "", ["a", "b"], 3, 4, 0, 16)
    Summary(plan, statistics, None).save(folder / "summary.safetensors")
    statistics.save(folder / "statistics.safetensors")
    save_sealed(
        folder / "sealed.safetensors", {"x": torch.randn(7), "y": torch.ones(2, 3, dtype=torch.int64)}, {"a": "ü"}
    )
    return {
        "state": (state, read_state),
        "summary": (folder / "summary.safetensors", Summary.load),
        "statistics": (folder / "statistics.safetensors", VariantStatistics.load),
        "sealed": (folder / "sealed.safetensors", load_sealed),
    }


def damages(content: bytes, number: int):
    """Copies with one bit turned, all over the file and above all in its header, and copies cut short."""
    rng = random.Random(0)
    header = 8 + int.from_bytes(content[:8], "little")
    text = content.index(b"__metadata__")
    places = [rng.randrange(size) for size in (8, header, len(content)) for _ in range(number // 4)]
    places += [text + rng.randrange(min(900, header - text)) for _ in range(number)]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << rng.randrange(8)
        yield bytes(changed)
    yield from (content[: rng.randrange(len(content))] for _ in range(number // 4))


@pytest.mark.parametrize("number", [80, pytest.param(3000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["state", "summary", "statistics", "sealed"])
def test_damage_is_always_refused(tmp_path, files, kind, number):
    path, read = files[kind]
    read(path)
    content = path.read_bytes()
    damaged = tmp_path / path.name
    for changed in damages(content, number):
        damaged.write_bytes(changed)
        with pytest.raises(UserError, match=damaged.name):
            read(damaged)


def test_what_was_sealed_reads_back(tmp_path):
    tensors = {
        "x": torch.randn(3, 2).T,
        "empty": torch.zeros(0, 4),
        "half": torch.randn(5).bfloat16(),
        "n": torch.tensor(3),
    }
    save_sealed(tmp_path / "a.safetensors", tensors, {"about": "it"})
    found = load_sealed(tmp_path / "a.safetensors")
    assert found.about == {"about": "it"} and found.tensors.keys() == tensors.keys()
    assert all(torch.equal(value, tensors[key]) for key, value in found.tensors.items())
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "a.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(UserError, match="a named pipe"):
        load_sealed(tmp_path / "pipe.safetensors")


def test_a_state_of_the_old_format_is_still_read(tmp_path, state):
    """As version 0.1.0 wrote it: the checksum covers the tensors alone."""
    tensors = load_file(state)
    about = load_sealed(state).about
    old = {**about, "format": "stylegenes-train-state-1", "sha256": checksum(tensors)}
    save_file(tensors, tmp_path / STATE_FILE, metadata=old)
    assert read_state(tmp_path / STATE_FILE).counters == read_state(state).counters
    save_file({**tensors, "G.latent.variants": tensors["G.latent.variants"] + 1}, tmp_path / STATE_FILE, metadata=old)
    with pytest.raises(UserError, match="damaged"):
        read_state(tmp_path / STATE_FILE)


def test_shipped_and_unsealed_summaries_are_read(tmp_path, files):
    shipped = MODELS / "avatars32" / "genes" / "summary.safetensors"
    assert Summary.load(shipped).plan.num_genes == 32 and load_sealed(shipped).sealed
    path, read = files["statistics"]
    save_file(
        load_file(path), tmp_path / "old.safetensors", metadata={"attributes": load_sealed(path).about["attributes"]}
    )
    assert read(tmp_path / "old.safetensors").attributes == ["a", "b"]
