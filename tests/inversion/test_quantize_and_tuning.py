"""Quantization, codebook inversion and pivotal tuning: known answers on a linear toy."""

import pytest
import torch
from latent_toys import GENOME, MAPPING, PooledDistance, toy_generator

from stylegenes.errors import UserError
from stylegenes.inversion.codebook import invert_into_codebook
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.pivotal import PivotalPlan, tune_around_pivots
from stylegenes.inversion.projection import ProjectionSettings, Projector, project
from stylegenes.inversion.quantize import DISTANCES, best_quantization, compare_quantizations, quantize
from stylegenes.inversion.tuning import TuningSettings, measure_drift

OBJECTIVE = Objective(PooledDistance())


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_code_on_the_codebook_is_found_exactly(distance, rng):
    generator = toy_generator(GENOME)
    genotypes = generator.sample(20, rng)
    ws = generator.express(genotypes)
    assert torch.equal(quantize(generator, ws, distance), genotypes)
    assert torch.equal(quantize(generator, ws + 1e-3 * torch.randn(ws.shape, generator=rng), distance), genotypes)


def test_distances_differ_as_they_should():
    generator = toy_generator({"name": "genome", "w_dim": 2, "num_genes": 1, "num_variants": 3})
    generator.latent.variants.copy_(torch.tensor([[[0.0, 3.2], [2.0, 2.0], [0.5, 0.6]]]))
    ws = torch.tensor([[[0.0, 0.0], [0.0, 0.0]]]) + torch.tensor([0.1, 0.9])
    assert quantize(generator, ws, "l2").item() == 2
    assert quantize(generator, ws, "cosine").item() == 0
    far = torch.full((1, 2, 2), 0.0) + torch.tensor([0.0, 5.9])
    generator.latent.variants.copy_(torch.tensor([[[0.0, 2.0], [1.9, 4.2], [-9.0, -9.0]]]))
    assert quantize(generator, far, "l1").item() == 1 and quantize(generator, far, "l2").item() == 1
    generator.latent.variants.copy_(torch.tensor([[[0.0, 2.5], [2.2, 4.2], [-9.0, -9.0]]]))
    assert quantize(generator, far, "l1").item() == 0 and quantize(generator, far, "l2").item() == 1


def test_layers_that_differ_are_judged_together():
    generator = toy_generator({"name": "genome", "w_dim": 1, "num_genes": 1, "num_variants": 2})
    generator.latent.variants.copy_(torch.tensor([[[0.0], [1.0]]]))
    assert quantize(generator, torch.tensor([[[0.4], [0.9]]]), "l2").item() == 1
    assert quantize(generator, torch.tensor([[[0.4], [0.5]]]), "l2").item() == 0


def test_the_table_names_each_distance_and_its_loss(rng):
    generator = toy_generator(GENOME)
    targets = torch.randn(3, 3, 8, 8, generator=rng) * 0.3
    found = project(Projector(generator, targets, OBJECTIVE, ProjectionSettings(steps=100)))
    table = compare_quantizations(generator, found.ws, targets, OBJECTIVE)
    assert [row.distance for row in table] == ["l1", "l2", "cosine"]
    assert all((row.mse > found.mse).all() for row in table)
    assert table[1].code_error.square().sum() <= min(row.code_error.square().sum() for row in table) + 1e-5
    best = best_quantization(table, OBJECTIVE)
    assert all((best.mse + best.perceptual).mean() <= (row.mse + row.perceptual).mean() for row in table)


def test_a_continuous_latent_and_an_unknown_distance_are_refused(rng):
    generator = toy_generator(MAPPING)
    with pytest.raises(UserError, match="needs a genome"):
        quantize(generator, torch.zeros(1, 2, 16))
    with pytest.raises(UserError, match="needs a genome"):
        invert_into_codebook(generator, torch.zeros(1, 4).long(), torch.zeros(1, 3, 8, 8), OBJECTIVE)
    with pytest.raises(UserError, match="l1, l2, cosine"):
        quantize(toy_generator(GENOME), torch.zeros(1, 2, 16), "l3")


def test_codebook_inversion_reaches_the_targets_and_random_genotypes_stay(rng):
    generator = toy_generator({"name": "genome", "w_dim": 64, "num_genes": 8, "num_variants": 16})
    targets = generator.synthesis(torch.randn(2, 2, 64, generator=rng)).image
    genotypes = quantize(generator, project(Projector(generator, targets, OBJECTIVE)).ws)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    settings = TuningSettings(steps=150, learning_rate=3e-3)
    tuned = invert_into_codebook(generator, genotypes, targets, OBJECTIVE, settings)
    assert tuned.after.mse.mean() < 0.1 * tuned.before.mse.mean()
    assert tuned.drift.ratio < 0.1
    assert torch.allclose(tuned.generator(genotypes).image, tuned.images)
    assert all(torch.equal(value, before[name]) for name, value in generator.state_dict().items())
    assert not torch.equal(tuned.generator.latent.variants, generator.latent.variants)


def test_the_regularizer_is_what_keeps_the_rest(rng):
    generator = toy_generator(GENOME)
    targets = generator.synthesis(torch.randn(2, 2, 16, generator=rng)).image
    genotypes = generator.sample(2, rng)
    drift = {}
    for weight in (0.0, 3.0):
        settings = TuningSettings(steps=80, learning_rate=3e-3, keep_weight=weight)
        drift[weight] = invert_into_codebook(generator, genotypes, targets, OBJECTIVE, settings).drift.ratio
    assert drift[3.0] < 0.5 * drift[0.0]


def test_pivotal_tuning_reaches_the_targets_with_the_latent_untouched(rng):
    generator = toy_generator(MAPPING)
    targets = generator.synthesis(torch.randn(2, 2, 16, generator=rng)).image
    pivots = project(Projector(generator, targets, OBJECTIVE, ProjectionSettings(steps=150))).ws
    tuned = tune_around_pivots(generator, pivots, targets, OBJECTIVE, TuningSettings(steps=150, learning_rate=3e-3))
    assert tuned.after.mse.mean() < 0.5 * tuned.before.mse.mean()
    latent = tuned.generator.latent.state_dict()
    assert all(torch.equal(value, latent[name]) for name, value in generator.latent.state_dict().items())
    assert tuned.drift.perceptual > 0


def test_pictures_watched_by_pivotal_tuning_lie_at_the_radius(rng):
    generator = toy_generator(MAPPING)
    pivots = generator.express(generator.sample(1, rng))
    watched = PivotalPlan(pivots, radius=0.5).watched_ws(generator, 6, seed=3)
    lengths = (watched - pivots).square().mean(dim=(1, 2)).sqrt()
    assert torch.allclose(lengths, lengths[:1].expand(6), rtol=1e-4)
    assert torch.equal(watched, PivotalPlan(pivots, radius=0.5).watched_ws(generator, 6, seed=3))


def test_a_model_does_not_drift_from_itself():
    generator = toy_generator(GENOME)
    drift = measure_drift(generator, generator, OBJECTIVE, n=10, batch=4)
    assert drift.mse == drift.perceptual == drift.ratio == 0 and drift.pair_perceptual > 0


def test_tuning_is_reproducible_and_refuses_nonsense(rng):
    generator = toy_generator(GENOME)
    genotypes, targets = generator.sample(5, rng), torch.rand(5, 3, 8, 8, generator=rng)
    settings = TuningSettings(steps=5, batch=2)
    a, b = (invert_into_codebook(generator, genotypes, targets, OBJECTIVE, settings) for _ in range(2))
    assert torch.equal(a.trace, b.trace) and torch.equal(a.images, b.images)
    with pytest.raises(UserError, match="positive"):
        TuningSettings(steps=0)
