"""The model of several devices: laws that any all-reduce keeps, numbers by hand, and what a plan says of itself."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stylegenes.errors import UserError
from stylegenes.training.scaling import Link, PhaseCost, all_reduce_seconds, from_rate, predict

PHASES = [PhaseCost("D main", 1000, 1, 0.4), PhaseCost("D lazy", 1000, 16, 0.8), PhaseCost("G main", 2000, 1, 0.5)]
LINK = Link(8.0, 100.0)


def test_a_ring_and_a_tree_by_hand():
    assert all_reduce_seconds(10**9, 1, LINK) == 0
    assert all_reduce_seconds(10**9, 4, LINK) == pytest.approx(1.5 * 1.0 + 6e-4)  # a gigabyte takes a second
    assert all_reduce_seconds(8, 64, LINK) == pytest.approx(2 * 6 * 1e-4 + 2 * 8e-9)  # small: the tree's twelve hops
    assert all_reduce_seconds(8, 2, LINK) == pytest.approx(2e-4, rel=1e-4)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**10), st.integers(2, 2000), st.floats(0.1, 5000), st.floats(0, 1000))
def test_laws_of_an_all_reduce(size, ranks, gbit, microseconds):
    link = Link(gbit, microseconds)
    found = all_reduce_seconds(size, ranks, link)
    assert found >= 2 * (ranks - 1) / ranks * size * 8 / (gbit * 1e9) * (1 - 1e-12)
    assert found <= 2 * size * 8 / (gbit * 1e9) + 2 * (ranks - 1) * microseconds * 1e-6 + 1e-12
    assert all_reduce_seconds(2 * size, ranks, link) >= found
    assert all_reduce_seconds(size, ranks, Link(2 * gbit, microseconds)) <= found
    assert all_reduce_seconds(size, ranks + 1, link) >= found - 1e-12


def test_lazy_phases_count_as_often_as_they_happen():
    one = predict(PHASES, batch=8, ranks=1, link=LINK)
    assert one.compute == pytest.approx(0.4 + 0.8 / 16 + 0.5) and one.exchange == 0 and one.efficiency == 1
    four = predict(PHASES, batch=32, ranks=4, link=LINK)
    exchange = [all_reduce_seconds(4 * phase.gradients, 4, LINK) / phase.interval for phase in PHASES]
    assert four.exchange == pytest.approx(sum(exchange))
    assert four.images_per_second == pytest.approx(32 / (four.compute + four.exchange))
    assert four.images_per_second == pytest.approx(4 * one.images_per_second * four.efficiency)
    assert four.hours(1.0) == pytest.approx(1000 / four.images_per_second / 3600)
    assert four.cost(1.0, 2.5) == pytest.approx(four.hours(1.0) * 4 * 2.5)


@pytest.mark.parametrize("rate", [0.5, 80.0, 3000.0])
@pytest.mark.parametrize("share", [1, 4, 96])
def test_a_known_rate_is_what_one_device_then_makes(rate, share):
    phases = from_rate(PHASES, rate, share)
    assert predict(phases, batch=share, ranks=1, link=LINK).images_per_second == pytest.approx(rate)
    assert [dataclasses.replace(phase, seconds=0.0) for phase in phases] == [
        dataclasses.replace(phase, seconds=0.0) for phase in PHASES
    ]


@pytest.mark.parametrize("numbers", [(0.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_links_that_are_none(numbers):
    with pytest.raises(UserError, match="a link has"):
        Link(*numbers)


@pytest.mark.parametrize("rate", [0.0, -3.0, float("nan"), float("inf")])
def test_rates_that_are_none(rate):
    with pytest.raises(UserError, match="positive number of images"):
        from_rate(PHASES, rate, 8)
