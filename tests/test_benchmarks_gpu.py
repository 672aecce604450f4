"""The benchmark for GPUs runs through on the CPU, small, so that nothing but its figures is unknown on the day."""

import json
from dataclasses import replace

import pytest
import torch

from stylegenes.errors import UserError

gpu = pytest.importorskip("benchmarks.gpu")


@pytest.fixture
def small(monkeypatch):
    """Makes the first of the cases with a textbook a small one."""
    settings = ("model.synthesis.channel_base=64", "model.discriminator.channel_base=64")
    case = gpu.CASES["stylegan2-64"]
    monkeypatch.setitem(gpu.CASES, "stylegan2-64", replace(case, settings=(*case.settings, *settings)))


def test_it_measures_in_the_time_it_has(tmp_path, small):
    out = tmp_path / "gpu.json"
    gpu.main(gpu.Args(device="cpu", only="stylegan2-64", batch=4, seconds=5, out=out))
    found = json.loads(out.read_text())
    assert found["stylegan2-64"]["images/s"] > 0 and found["stylegan2-64"]["times the textbook"] > 0
    assert found["stylegan2-64"]["generator forward, of the product"] > 0
    gpu.main(gpu.Args(device="cpu", only="tiny32", seconds=1, out=out))
    assert json.loads(out.read_text())["tiny32"] == {"left out": "no time was left"}


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("no memory\nfor it"), UserError("no memory"), RuntimeError()])
def test_a_card_that_is_too_small_keeps_what_it_measured(tmp_path, monkeypatch, small, error):
    """The textbook takes more memory, and so do later cases."""

    def fails(*given):
        raise error

    monkeypatch.setattr(gpu, "textbook_rate", fails)
    monkeypatch.setattr(gpu, "images_a_second", lambda *given, **more: 1.0)
    out = tmp_path / "gpu.json"
    gpu.main(gpu.Args(device="cpu", only="stylegan2-64", batch=4, seconds=9, out=out))
    found = json.loads(out.read_text())["stylegan2-64"]
    assert found["images/s"] > 0 and found["failed"] == (str(error).partition("\n")[0] or "RuntimeError")


def test_a_case_that_there_is_not_is_named():
    with pytest.raises(SystemExit, match="tiny33 is no case; there are tiny32"):
        gpu.main(gpu.Args(device="cpu", only="tiny33"))


@pytest.mark.parametrize("name", gpu.CASES)
def test_every_case_is_a_configuration(name):
    """Complete, and its batch divides."""
    case = gpu.CASES[name]
    config = gpu.config_of(case, case.batch)
    assert config.batch.total == case.batch
    assert config.model.synthesis["resolution"] == config.model.discriminator["resolution"] == config.data.resolution
    gpu.plan_batch(config.batch, ranks=1, discriminator=config.model.discriminator)
