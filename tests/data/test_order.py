"""The data order: laws of the stream."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylegenes.data.order import DataOrder
from stylegenes.errors import UserError

PINNED_INDICES = [3, 5, 2, 7, 0, 6, 1, 4, 0, 6, 5, 3, 4, 7, 2, 1]
PINNED_MIRROR = [0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0]

sizes, seeds, starts = st.integers(1, 50), st.integers(0, 2**63 - 1), st.integers(0, 500)


@given(size=sizes, seed=seeds, epoch=st.integers(0, 30))
def test_every_epoch_is_a_permutation(size, seed, epoch):
    indices = DataOrder(size, seed).indices(epoch * size, size)
    assert sorted(indices.tolist()) == list(range(size))


@given(size=sizes, seed=seeds, start=starts, first=st.integers(0, 60), second=st.integers(0, 60))
def test_the_stream_does_not_depend_on_how_it_is_cut(size, seed, start, first, second):
    order = DataOrder(size, seed, mirror=True)
    whole = order.draw(start, first + second)
    a, b = order.draw(start, first), DataOrder(size, seed, mirror=True).draw(start + first, second)
    assert torch.equal(whole.indices, torch.cat([a.indices, b.indices]))
    assert torch.equal(whole.mirror, torch.cat([a.mirror, b.mirror]))


@given(size=sizes, seed=seeds, start=starts, ranks=st.integers(1, 6), share=st.integers(1, 8))
def test_ranks_share_the_batch_of_one_process(size, seed, start, ranks, share):
    order = DataOrder(size, seed, mirror=True)
    alone = order.batch(start, ranks * share)
    shares = [order.batch(start, ranks * share, rank=rank, ranks=ranks) for rank in range(ranks)]
    assert torch.equal(alone.indices, torch.cat([part.indices for part in shares]))
    assert torch.equal(alone.mirror, torch.cat([part.mirror for part in shares]))


@settings(max_examples=20)
@given(seed=seeds)
def test_epochs_and_seeds_differ(seed):
    order = DataOrder(200, seed)
    assert not torch.equal(order.indices(0, 200), order.indices(200, 200))
    assert not torch.equal(order.indices(0, 200), DataOrder(200, (seed + 1) % 2**63).indices(0, 200))


def test_shuffles_are_uniform_and_mirrors_are_fair():
    order = DataOrder(10, seed=3, mirror=True)
    draw = order.draw(0, 40_000)
    where_zero = (draw.indices.view(-1, 10) == 0).nonzero()[:, 1]
    counts = torch.bincount(where_zero, minlength=10)
    assert ((counts - 400).abs() < 5 * 20).all(), counts
    assert abs(draw.mirror.float().mean() - 0.5) < 0.02
    for place in range(10):
        assert abs(draw.mirror.view(-1, 10)[:, place].float().mean() - 0.5) < 0.05


def test_mirror_is_off_by_default_and_does_not_move_the_order():
    plain, mirrored = DataOrder(30, 5).draw(0, 90), DataOrder(30, 5, mirror=True).draw(0, 90)
    assert not plain.mirror.any()
    assert torch.equal(plain.indices, mirrored.indices)


def test_the_stream_is_pinned():
    draw = DataOrder(8, seed=1, mirror=True).draw(0, 16)
    assert draw.indices.tolist() == PINNED_INDICES
    assert draw.mirror.int().tolist() == PINNED_MIRROR


@pytest.mark.parametrize("size, seed", [(0, 0), (3, -1), (3, 2**63)])
def test_refuses_what_has_no_order(size, seed):
    with pytest.raises(UserError):
        DataOrder(size, seed)


def test_refuses_a_batch_that_does_not_divide():
    with pytest.raises(UserError, match="multiple of 3"):
        DataOrder(9).batch(0, 8, rank=0, ranks=3)
