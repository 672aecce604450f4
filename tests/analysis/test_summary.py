"""The small file that stands for a survey."""

import numpy as np
import pytest
import torch
from null_surveys import genotypes
from safetensors import safe_open
from safetensors.torch import save_file
from toy_genome import LinearClassifier, MeanPixel, effects, toy_generator

from stylegenes.analysis.importance import report_genes
from stylegenes.analysis.inference import significance
from stylegenes.analysis.statistics import VariantStatistics, tally, tally_draws
from stylegenes.analysis.summary import Summary, summarize
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.latents import Gaussian
from stylegenes.survey import Surveyor, SurveyPlan, conduct


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    networks = Surveyor(toy_generator(), LinearClassifier(effects()), MeanPixel())
    folder = tmp_path_factory.mktemp("summary") / "survey"
    return conduct(networks, folder, networks.plan(shard_size=2048), num_draws=8192)


def test_a_summary_says_what_the_draws_say_up_to_rounding(survey, tmp_path):
    summarize(survey).save(tmp_path / "s.safetensors")
    kept, exact = Summary.load(tmp_path / "s.safetensors"), tally(survey)
    statistics = kept.statistics
    assert kept.plan == survey.plan and statistics.attributes == exact.attributes
    assert torch.equal(statistics.count, exact.count)
    assert torch.equal(statistics.low, exact.low) and torch.equal(statistics.high, exact.high)
    for name in ("mean", "half_means", "overall"):
        assert (getattr(statistics, name) - getattr(exact, name)).abs().max() < 2**-11
    assert (statistics.spread - exact.spread).abs().max() < 1e-3
    known = exact.standard_error > 1e-4
    error = (statistics.mean - exact.mean)[known].abs() / exact.standard_error[known]
    assert error.max() < 0.1 and torch.isfinite(statistics.standard_error).all()
    for a in range(len(exact.attributes)):
        assert report_genes(statistics).top(a, 1) == report_genes(exact).top(a, 1)
    realness = tally(survey, "discriminator")
    assert kept.realness is not None and torch.allclose(kept.realness.mean, realness.mean, atol=1e-5)


@pytest.mark.parametrize("logit", [-16.0, -10.0, 0.0, 10.0])
@pytest.mark.parametrize("precision", [torch.float16, torch.float64])
def test_attributes_of_any_rate_are_kept_alike(logit, precision, tmp_path):
    """One that no gene acts on, one that a gene acts on; nearly never, as often as not, nearly always."""
    rng = np.random.default_rng(0)
    genotype = genotypes(30_000, 8, 32, rng)
    noise, effect = rng.normal(size=(30_000, 2)), rng.normal(size=32)[genotype[:, 3]]
    logits = torch.from_numpy(logit + 0.7 * noise + np.stack([0 * effect, effect], axis=1))
    exact = VariantStatistics.empty(["chance", "acted on"], 8, 32)
    tally_draws(exact, torch.from_numpy(genotype), logits.sigmoid().to(precision))
    plan = SurveyPlan("", "", "", exact.attributes, 8, 32)
    Summary(plan, exact, None).save(tmp_path / "s.safetensors")
    kept = Summary.load(tmp_path / "s.safetensors").statistics
    assert torch.allclose(report_genes(kept).explained, report_genes(exact).explained, atol=2e-3)
    assert (significance(kept).significant == significance(exact).significant).double().mean() > 0.98
    assert [len(report_genes(kept).acting(a)) for a in (0, 1)] == [len(report_genes(exact).acting(a)) for a in (0, 1)]


def test_without_a_discriminator_there_is_no_realness(tmp_path):
    networks = Surveyor(toy_generator(), LinearClassifier(effects()))
    survey = conduct(networks, tmp_path / "s", networks.plan(shard_size=64), num_draws=64)
    summarize(survey, tally(survey)).save(tmp_path / "s.safetensors")
    assert Summary.load(tmp_path / "s.safetensors").realness is None


def test_files_without_a_range_have_that_of_a_probability(survey, tmp_path):
    """As older versions wrote them, and the one in the package."""
    for made, load in ((summarize(survey), Summary.load), (tally(survey), VariantStatistics.load)):
        made.save(tmp_path / "s.safetensors")
        with safe_open(tmp_path / "s.safetensors", "pt") as file:
            metadata = {k: v for k, v in file.metadata().items() if k != "sha256"}
            kept = {k: file.get_tensor(k) for k in file.keys() if not k.endswith(("low", "high"))}  # noqa: SIM118
        save_file(kept, tmp_path / "s.safetensors", metadata)
        found = load(tmp_path / "s.safetensors")
        statistics = found.statistics if isinstance(found, Summary) else found
        assert (statistics.low == 0).all() and (statistics.high == 1).all()
        old, new = significance(statistics).significant, significance(tally(survey)).significant
        assert (old == new).double().mean() > 0.98


def test_a_damaged_summary_is_named(survey, tmp_path):
    path = tmp_path / "s.safetensors"
    summarize(survey).save(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match=r"s\.safetensors is damaged"):
        Summary.load(path)


def test_a_continuous_latent_has_no_summary(tmp_path):
    from toy_genome import ShowW

    networks = Surveyor(Generator(Gaussian(9), ShowW(9)), LinearClassifier(effects()))
    survey = conduct(networks, tmp_path / "s", networks.plan(shard_size=16), num_draws=16)
    with pytest.raises(UserError, match="need a genome"):
        summarize(survey)
