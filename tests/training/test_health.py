"""Health in words."""

from dataclasses import replace

import pytest
import torch

from stylegenes.training.health import Health, Signs, pixel_diversity

FINE = Signs(gap=1.0, real_sign=0.5, grad_G=1.0, grad_D=1.0, diversity=0.9, kimg=100)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, "healthy"),
        ({"diversity": 0.01}, "collapsing"),
        ({"gene_usage": 0.12}, "few genes matter"),
        ({"gene_usage": 0.12, "kimg": 5}, "healthy"),
        ({"real_sign": 0.97}, "memorising"),
        ({"gap": 40.0}, "D wins"),
        ({"grad_G": 0.0}, "no gradient"),
    ],
)
def test_words(change, word):
    assert word in Health().verdict(replace(FINE, **change))


def test_a_jump_of_the_gradient_is_told_against_the_past():
    health = Health()
    for _ in range(6):
        assert health.verdict(FINE) == "healthy"
    assert "gradient of D jumped to 50 times" in health.verdict(replace(FINE, grad_D=50.0))


def test_diversity():
    assert pixel_diversity(torch.zeros(4, 3, 2, 2)) == 0
    assert pixel_diversity(torch.randn(2000, 1, 4, 4)) == pytest.approx(1, rel=0.02)


def test_one_batch_decides_nothing():
    """A sitting begins with one step's means, whatever they look like."""
    health, batch = Health(), {"images": 64}
    wild = replace(FINE, real_sign=1.0, gap=16.0, **batch)
    assert health.verdict(wild) == "too early to judge"
    assert [health.verdict(replace(FINE, **batch)) for _ in range(3)][-1] == "healthy"
    assert "D wins" in health.verdict(replace(FINE, gap=70.0, **batch)), "over the last 256 images it is 17"


@pytest.mark.parametrize(
    "change",
    [{"losses": {"D main": 1e12}}, {"losses": {"G lazy": -3e4}}, {"losses": {"G main": float("nan")}}, {"grad_D": 1e9},
     {"grad_G": float("inf")}],
)  # fmt: skip
def test_a_divergence_is_told_at_once(change):
    assert "diverging" in Health().verdict(replace(FINE, images=8, **change))
