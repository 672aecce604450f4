"""Directions: known answers on a linear toy."""

import pytest
import torch
from latent_toys import GAUSSIAN, GENOME, MAPPING, coordinate_classifier, toy_generator

from stylegenes.analysis.directions import FitSettings, fit_directions
from stylegenes.analysis.samples import label_samples, latent_spaces, read_labels, survey_labels, write_labels
from stylegenes.errors import UserError
from stylegenes.survey import Surveyor, conduct


@pytest.fixture(scope="module")
def fitted():
    generator = toy_generator(GAUSSIAN)
    classifier = coordinate_classifier(generator, [[3], [3, 5], [8]])
    samples = label_samples(generator, classifier, 2000, random=torch.Generator().manual_seed(1))
    w = latent_spaces(generator, samples.codes)["w"]
    return samples, w, fit_directions("w", w, samples.probabilities, samples.attributes)


def test_a_linear_attribute_is_told_apart_perfectly_and_its_coordinates_are_found(fitted):
    _, _, result = fitted
    assert all(fit.auc > 0.995 and fit.balanced_accuracy > 0.95 for fit in result.fits)
    cosine = torch.cosine_similarity(result.directions.vector("sign_0"), torch.eye(16)[3], dim=0)
    assert cosine > 0.99
    pair = result.directions.vector("sign_1")
    assert set(pair.abs().topk(2).indices.tolist()) == {3, 5}


def test_random_labels_score_a_half(fitted):
    _, w, _ = fitted
    labels = torch.rand(len(w), 1, generator=torch.Generator().manual_seed(5))
    fit = fit_directions("w", w, labels, ["coin"], FitSettings("l2")).fits[0]
    assert abs(fit.auc - 0.5) < 0.05
    assert abs(fit.balanced_accuracy - 0.5) < 0.05


def test_a_stronger_l1_penalty_leaves_fewer_coordinates_and_l2_leaves_all(fitted):
    samples, w, _ = fitted
    noisy = samples.probabilities[:, 1:2]
    counts = [fit_directions("w", w, noisy, ["a"], FitSettings("l1", c)).fits[0].nonzero for c in (0.002, 0.02, 10.0)]
    assert counts == sorted(counts) and counts[0] < counts[-1]
    assert fit_directions("w", w, noisy, ["a"], FitSettings("l2", 0.1)).fits[0].nonzero == 16


def test_one_unit_is_one_standard_deviation_along_the_direction(fitted):
    _, w, result = fitted
    vector = result.directions.vector("sign_0").double()
    along = w.double() @ vector / vector.norm()
    assert vector.norm() == pytest.approx(float(along.std()), rel=0.02)


def test_a_held_attribute_keeps_its_logit(fitted):
    _, _, result = fitted
    directions = result.directions
    step = directions.vector("sign_1", hold=["sign_0"])
    standardized = step / directions.scale
    assert torch.dot(standardized, directions.weights[0]).abs() < 1e-3 * directions.weights[0].norm()
    assert torch.dot(standardized, directions.weights[1]) > 0
    assert step[5].abs() > 5 * step[3].abs()


@pytest.mark.parametrize("noise", [0.1, 0.5, 2.0])
def test_a_held_step_is_no_longer_than_the_step(noise):
    """Whatever the samples have in common: what is held is taken out, and nothing is added to make up for it."""
    rng = torch.Generator().manual_seed(0)
    shared, own = torch.randn(3000, 1, generator=rng), torch.randn(3000, 3, generator=rng)
    w = shared * torch.tensor([1.0, 1.0, 0.0]) + noise * own
    labels = torch.stack([w[:, 0] + w[:, 1], w[:, 0]], dim=1) + 0.3 * torch.randn(3000, 2, generator=rng)
    directions = fit_directions("w", w, (labels > 0).float(), ["a", "b"], FitSettings("l2", 0.1)).directions
    samples = (w - directions.center) / directions.scale
    for hold in (None, ["b"]):
        step = directions.vector("a", hold) / directions.scale
        assert step.norm() < 1.1 * (samples @ (step / step.norm())).std()


def test_holding_what_spans_the_attribute_is_refused(fitted):
    _, _, result = fitted
    with pytest.raises(UserError, match="changed and held"):
        result.directions.vector("sign_0", hold=["sign_0"])
    with pytest.raises(UserError, match="attributes: sign_0"):
        result.directions.vector("smile")


def test_an_attribute_too_rare_for_the_folds_is_reported_and_not_scored(fitted):
    _, w, _ = fitted
    rare = torch.zeros(len(w), 1)
    rare[:5] = 1
    result = fit_directions("w", w, rare, ["rare"])
    assert not result.fits[0].scored and result.fits[0].positives == 5
    with pytest.raises(UserError, match="too rare"):
        result.directions.vector("rare")


def test_a_coordinate_that_never_changes_gets_no_weight(fitted):
    samples, w, _ = fitted
    frozen = w.clone()
    frozen[:, 7] = 3.0
    directions = fit_directions("w", frozen, samples.probabilities[:, :1], ["a"], FitSettings("l2")).directions
    assert directions.vector("a")[7] == 0


def test_too_few_samples_are_refused(fitted):
    samples, w, _ = fitted
    with pytest.raises(UserError, match="at least 20 samples"):
        fit_directions("w", w[:9], samples.probabilities[:9], samples.attributes)


@pytest.mark.parametrize("latent, names", [(GAUSSIAN, {"w"}), (GENOME, {"w"}), (MAPPING, {"z", "w"})])
def test_spaces_that_are_the_same_numbers_appear_once(latent, names, rng):
    generator = toy_generator(latent)
    spaces = latent_spaces(generator, generator.sample(20, rng), batch=7)
    assert set(spaces) == names
    assert all(space.shape == (20, 16) for space in spaces.values())


def test_labels_survive_the_table(tmp_path, rng):
    generator = toy_generator(GENOME)
    samples = label_samples(generator, coordinate_classifier(generator, [[0], [4]]), 30, random=rng, batch=7)
    write_labels(tmp_path / "labels.csv", generator, samples)
    again = read_labels(tmp_path / "labels.csv", generator)
    assert torch.equal(again.codes, samples.codes) and again.attributes == samples.attributes
    assert torch.allclose(again.probabilities, samples.probabilities, atol=1e-4)


@pytest.mark.parametrize(
    "text, message",
    [("a,b\n1,2\n", "needs a header"), ("", "needs a header"), ("code,smile\nAAAA,yes\n", "line 2: smile is 'yes'")],
)
def test_a_bad_table_says_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_labels(path, toy_generator(GENOME))


def test_a_survey_gives_back_the_codes_that_it_judged(tmp_path):
    generator = toy_generator(MAPPING)
    surveyor = Surveyor(generator, coordinate_classifier(generator, [[0], [4]]))
    survey = conduct(surveyor, tmp_path, surveyor.plan(shard_size=16), num_draws=32)
    samples = survey_labels(survey, generator)
    judged = surveyor.classifier(generator(samples.codes).image)
    assert torch.allclose(samples.probabilities, judged, atol=2e-3)
    with pytest.raises(UserError, match="another model"):
        survey_labels(survey, toy_generator(GENOME))


def test_holding_an_attribute_without_a_direction_is_refused(fitted):
    samples, w, _ = fitted
    with_rare = torch.cat([samples.probabilities[:, :1], torch.zeros(len(w), 1)], dim=1)
    directions = fit_directions("w", w, with_rare, ["common", "rare"]).directions
    with pytest.raises(UserError, match="rare cannot be held"):
        directions.vector("common", hold=["rare"])
