"""Moves along directions, and what they change."""

import pytest
import torch
from latent_toys import GAUSSIAN, GENOME, PooledDistance, coordinate_classifier, toy_generator

from stylegenes.analysis.moves import combine, hold_coordinates, measure_move, move
from stylegenes.errors import UserError


def test_a_move_adds_the_vector_on_the_chosen_layers_only(rng):
    ws = torch.randn(3, 4, 6, generator=rng)
    vector = torch.randn(6, generator=rng)
    moved = move(ws, vector, -2.0, [1, 3])
    assert torch.equal(moved[:, [0, 2]], ws[:, [0, 2]])
    assert torch.allclose(moved[:, [1, 3]], ws[:, [1, 3]] - 2 * vector)
    assert torch.allclose(move(ws, vector, 1.0), ws + vector)


def test_a_vector_of_another_space_is_refused():
    with pytest.raises(UserError, match="5 coordinates and w has 6"):
        move(torch.zeros(1, 2, 6), torch.zeros(5), 1.0)


def test_a_move_reports_the_wanted_change_and_the_side_effects(rng):
    generator = toy_generator(GAUSSIAN)
    classifier = coordinate_classifier(generator, [[3], [8]])
    ws = generator.express(generator.sample(200, rng))
    effect = measure_move(generator, classifier, ws, move(ws, torch.eye(16)[3], 5.0), perceptual=PooledDistance())
    assert effect.after[0] > 0.99 and effect.change[0] == pytest.approx(0.5, abs=0.1)
    assert effect.flipped[0] == pytest.approx(0.5, abs=0.1)
    assert effect.change[1].abs() < 1e-3 and effect.flipped[1] < 0.01
    assert effect.distance > 0 and effect.distance_name == "toy_pooled"
    still = measure_move(generator, classifier, ws, ws, perceptual=PooledDistance())
    assert still.distance == 0 and not still.flipped.any()


@pytest.mark.parametrize("latent", [GAUSSIAN, GENOME])
def test_holding_the_coordinates_that_carry_an_attribute_keeps_it(latent, rng):
    generator = toy_generator(latent)
    classifier = coordinate_classifier(generator, [[3]])
    w = generator.latent(generator.sample(300, rng))
    held = torch.zeros(16, dtype=torch.bool)
    held[3] = True
    kept = hold_coordinates(generator, classifier, "sign_0", held, w, random=rng)
    assert kept.agreement == 1.0 and kept.held == 1 and kept.total == 16
    assert kept.baseline < 0.8
    free = hold_coordinates(generator, classifier, "sign_0", ~held, w, random=rng)
    assert free.agreement < 0.8


def test_combining_meets_both_ends():
    a, b = torch.zeros(1, 2, 3), torch.ones(1, 2, 3)
    assert torch.equal(combine(a, b, 0.0), a) and torch.equal(combine(a, b, 1.0), b)
    assert torch.allclose(combine(a, b), torch.full_like(a, 0.5))
