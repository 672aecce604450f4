"""Projection: known answers on a linear toy, exact resumption, noise."""

import dataclasses

import pytest
import torch
from latent_toys import GAUSSIAN, GENOME, MAPPING, PooledDistance, toy_generator

from stylegenes.errors import UserError
from stylegenes.inversion.calibration import Calibration, calibrate, own_samples
from stylegenes.inversion.objective import Objective, noise_structure, standardize_noise
from stylegenes.inversion.projection import Projection, ProjectionSettings, Projector, project, w_statistics
from stylegenes.records import Condition

OBJECTIVE = Objective(PooledDistance())
QUICK = ProjectionSettings(steps=300, learning_rate=0.1)


@pytest.mark.parametrize("latent", [GAUSSIAN, GENOME, MAPPING])
def test_own_samples_are_found_again(latent, rng):
    generator = toy_generator(latent)
    code = generator.sample(3, rng)
    targets = generator(code).image
    found = project(Projector(generator, targets, OBJECTIVE, QUICK))
    start = project(Projector(generator, targets, OBJECTIVE, dataclasses.replace(QUICK, steps=1, learning_rate=1e-9)))
    assert (found.mse < 1e-3 * start.mse).all()
    assert torch.allclose(found.ws, generator.express(code), atol=0.1)
    assert torch.equal(found.images, generator.synthesis(found.ws).image)


def test_it_starts_from_the_mean_and_leaves_the_model_alone(rng):
    generator = toy_generator(GENOME)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    projector = Projector(generator, generator(generator.sample(2, rng)).image, OBJECTIVE, QUICK)
    assert torch.allclose(projector.ws(), generator.broadcast(generator.latent.mean()).expand(2, -1, -1))
    project(projector)
    assert all(torch.equal(value, before[name]) for name, value in generator.state_dict().items())


def test_w_has_one_vector_and_w_plus_reaches_what_w_cannot(rng):
    generator = toy_generator(GAUSSIAN)
    targets = generator.synthesis(torch.randn(2, 2, 16, generator=rng)).image
    w = project(Projector(generator, targets, OBJECTIVE, QUICK))
    plus = project(Projector(generator, targets, OBJECTIVE, dataclasses.replace(QUICK, space="w+")))
    assert torch.equal(w.ws[:, 0], w.ws[:, 1]) and not torch.equal(plus.ws[:, 0], plus.ws[:, 1])
    assert (plus.mse < 0.05 * w.mse).all()


@pytest.mark.parametrize("optimize_noise", [False, True])
def test_a_resumed_projection_is_exactly_the_uninterrupted_one(optimize_noise, tmp_path, rng):
    generator = toy_generator(MAPPING, noise_strength=0.1)
    targets = generator(generator.sample(2, rng)).image
    settings = ProjectionSettings(steps=20, optimize_noise=optimize_noise)
    whole = project(Projector(generator, targets, OBJECTIVE, settings))
    first = Projector(generator, targets, OBJECTIVE, settings)
    for _ in range(8):
        first.advance()
    first.save(tmp_path / "state.safetensors")
    second = Projector(generator, targets, OBJECTIVE, settings)
    assert second.resume(tmp_path / "state.safetensors") and second.step == 8
    resumed = project(second)
    assert torch.equal(resumed.ws, whole.ws) and torch.equal(resumed.trace, whole.trace)
    assert all(torch.equal(resumed.noise[name], whole.noise[name]) for name in whole.noise)
    assert len(whole.noise) == (2 if optimize_noise else 0)


def test_a_state_of_other_targets_or_settings_is_refused(tmp_path, rng):
    generator = toy_generator(GENOME)
    targets = generator(generator.sample(2, rng)).image
    path = tmp_path / "state.safetensors"
    assert not Projector(generator, targets, OBJECTIVE, QUICK).resume(path)
    Projector(generator, targets, OBJECTIVE, QUICK).save(path)
    with pytest.raises(UserError, match="other targets"):
        Projector(generator, targets + 1, OBJECTIVE, QUICK).resume(path)
    with pytest.raises(UserError, match="other settings"):
        Projector(generator, targets, OBJECTIVE, ProjectionSettings(steps=7)).resume(path)
    with pytest.raises(UserError, match="other model"):
        Projector(toy_generator(GENOME), targets, OBJECTIVE, QUICK).resume(path)


def test_a_state_of_another_label_or_objective_is_refused(tmp_path, rng):
    generator = toy_generator({**MAPPING, "label_dim": 2})
    a, b = (Condition(label=torch.eye(2)[i : i + 1]) for i in (0, 1))
    targets = torch.rand(1, 3, 8, 8, generator=rng)
    path = tmp_path / "state.safetensors"
    Projector(generator, targets, OBJECTIVE, QUICK, a).save(path)
    assert Projector(generator, targets, OBJECTIVE, QUICK, a).resume(path)
    with pytest.raises(UserError, match="other label"):
        Projector(generator, targets, OBJECTIVE, QUICK, b).resume(path)
    for other in (Objective(PooledDistance(), pixel_weight=0.0), Objective(PooledDistance(), perceptual_weight=2.0)):
        with pytest.raises(UserError, match="other objective"):
            Projector(generator, targets, other, QUICK, a).resume(path)


def test_a_state_of_an_older_version_is_taken_up(tmp_path, rng):
    """It says neither what was minimized nor the label."""
    generator = toy_generator({**MAPPING, "label_dim": 2})
    how = (generator, torch.rand(1, 3, 8, 8, generator=rng), OBJECTIVE, QUICK, Condition(label=torch.eye(2)[:1]))
    projector = Projector(*how)
    projector.advance()
    old = {key: value for key, value in projector._identity().items() if key not in ("objective", "label")}
    projector._identity = lambda: old
    projector.save(tmp_path / "state.safetensors")
    assert Projector(*how).resume(tmp_path / "state.safetensors")


def test_targets_in_a_batch_do_not_see_each_other(rng):
    generator = toy_generator(GENOME)
    targets = generator(generator.sample(3, rng)).image
    settings = dataclasses.replace(QUICK, steps=30, jitter=0.0)
    together = project(Projector(generator, targets, OBJECTIVE, settings))
    alone = project(Projector(generator, targets[1:2], OBJECTIVE, settings))
    assert torch.allclose(together.ws[1:2], alone.ws, atol=1e-4)


def test_optimized_noise_helps_and_stays_standard(rng):
    generator = toy_generator(GENOME, noise_strength=0.2)
    targets = generator(generator.sample(2, rng)).image
    plain = project(Projector(generator, targets, OBJECTIVE, QUICK))
    noisy = project(
        Projector(generator, targets, OBJECTIVE, dataclasses.replace(QUICK, optimize_noise=True, noise_weight=0.1))
    )
    assert (noisy.mse < 0.7 * plain.mse).all()
    for noise in noisy.noise.values():
        assert torch.allclose(noise.mean(dim=(2, 3)), torch.zeros(2, 1), atol=1e-5)
        assert torch.allclose(noise.square().mean(dim=(2, 3)), torch.ones(2, 1), atol=1e-4)


def test_the_structure_penalty_tells_white_noise_from_smooth(rng):
    white = torch.randn(1, 1, 64, 64, generator=rng)
    smooth = torch.nn.functional.avg_pool2d(torch.randn(1, 1, 66, 66, generator=rng), 3, stride=1)
    standardize_noise(smooth)
    assert noise_structure(white) < 0.1 < 0.5 < noise_structure(smooth)
    constant = torch.ones(1, 1, 8, 8)
    assert noise_structure(constant) == pytest.approx(2.0)


def test_the_learning_rate_rises_stays_and_falls():
    settings = ProjectionSettings(steps=100, learning_rate=1.0)
    rates = [settings.rate_at(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.2) and rates[4:75] == [pytest.approx(1.0)] * 71 and 0 < rates[99] < 0.01
    assert rates[75:] == sorted(rates[75:], reverse=True)
    assert settings.jitter_at(0) == settings.jitter and settings.jitter_at(60) == 0


def test_statistics_are_those_of_the_prior():
    statistics = w_statistics(toy_generator(GAUSSIAN))
    assert torch.allclose(statistics.scale, torch.ones(1, 16), atol=0.1)
    ws = statistics.mean[None] + 2 * statistics.scale
    assert statistics.deviation(ws) == pytest.approx(2.0)


def test_own_samples_look_at_home_and_noise_looks_strange(rng):
    generator = toy_generator(GAUSSIAN)
    calibration = calibrate(generator, OBJECTIVE, QUICK, n=6)
    samples = own_samples(generator, 4, seed=3)
    texture = (torch.rand(4, 3, 8, 8, generator=rng) - 0.5) * 0.6
    verdicts = {
        name: calibration.verdicts(project(Projector(generator, targets, OBJECTIVE, QUICK)))
        for name, targets in {"own": samples, "near": samples + texture, "outside": 20 * texture}.items()
    }
    assert verdicts["own"].count("own") >= 3 and "outside" not in verdicts["own"]
    assert verdicts["near"] == ["near"] * 4
    assert verdicts["outside"] == ["outside"] * 4
    assert calibration.perceptual.mean() < 0.1 * calibration.pair_perceptual
    with pytest.raises(UserError, match="at least three"):
        calibrate(generator, OBJECTIVE, QUICK, n=2)


def test_wrong_targets_and_settings_say_what_is_allowed():
    generator = toy_generator(GENOME)
    with pytest.raises(UserError, match=r"\[N, 3, 8, 8\]"):
        Projector(generator, torch.zeros(1, 3, 16, 16), OBJECTIVE, QUICK)
    with pytest.raises(UserError, match=r"accepted: w, w\+"):
        ProjectionSettings(space="z")
    with pytest.raises(UserError, match="positive"):
        ProjectionSettings(steps=0)


def test_a_stuck_own_sample_excuses_nothing_and_a_held_out_picture_is_no_stranger():
    """The figures are those of held-out and foreign pictures on a trained model."""
    own = torch.tensor([0.14, 0.03, 0.03, 0.02, 0.01, 0.04, 0.01, 0.23])
    calibration = Calibration(own, own, torch.full((8,), 0.84), pair_perceptual=1.0, pair_mse=1.0)
    assert calibration.perceptual_limit == 0.25
    perceptual, deviation = torch.tensor([0.45, 0.55, 1.3, 0.53, 0.78]), torch.tensor([1.16, 1.36, 1.45, 2.29, 1.76])
    none = torch.zeros(5)
    found = Projection(none, {}, none, none, perceptual, none, deviation)
    assert calibration.verdicts(found) == ["near", "near", "outside", "outside", "outside"]
