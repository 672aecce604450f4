"""The benchmark for GPUs runs through on the CPU, small, so that nothing but its figures is unknown on the day."""

import json
from dataclasses import replace

import pytest

gpu = pytest.importorskip("benchmarks.gpu")


def test_it_measures_in_the_time_it_has(tmp_path, monkeypatch):
    small = ("model.synthesis.channel_base=64", "model.discriminator.channel_base=64")
    case = gpu.CASES["stylegan2-64"]
    monkeypatch.setitem(gpu.CASES, "stylegan2-64", replace(case, settings=(*case.settings, *small)))
    out = tmp_path / "gpu.json"
    gpu.main(gpu.Args(device="cpu", only="stylegan2-64", batch=4, seconds=5, out=out))
    found = json.loads(out.read_text())
    assert found["stylegan2-64"]["images/s"] > 0 and found["stylegan2-64"]["times the textbook"] > 0
    assert found["stylegan2-64"]["generator forward, of the product"] > 0
    gpu.main(gpu.Args(device="cpu", only="tiny32", seconds=1, out=out))
    assert json.loads(out.read_text())["tiny32"] == {"left out": "no time was left"}


@pytest.mark.parametrize("name", gpu.CASES)
def test_every_case_is_a_configuration(name):
    """Complete, and its batch divides."""
    case = gpu.CASES[name]
    config = gpu.config_of(case, case.batch)
    assert config.batch.total == case.batch
    assert config.model.synthesis["resolution"] == config.model.discriminator["resolution"] == config.data.resolution
    gpu.plan_batch(config.batch, ranks=1, discriminator=config.model.discriminator)
