"""Where pictures are kept changes no batch."""

import pytest
import torch
from tiny_run import TinyData

from stylegenes.training.feed import Feed, fits

CPU = torch.device("cpu")


def feed(resident, rank=0, ranks=1):
    return Feed(
        TinyData(), total=16, rank=rank, ranks=ranks, mirror=True, labels=True, seed=5, device=CPU, resident=resident
    )


@pytest.mark.parametrize("ranks", [1, 2])
def test_kept_pictures_make_the_same_batches(ranks):
    for rank in range(ranks):
        kept, loaded = feed(True, rank, ranks), feed(False, rank, ranks)
        for position in (0, 16, 32, 160, 48):
            a, b = kept.batch(position), loaded.batch(position)
            assert a.image.dtype == torch.float32 and torch.equal(a.image, b.image)
            assert a.condition.label is not None and torch.equal(a.condition.label, b.condition.label)
        kept.close()
        loaded.close()


def test_a_batch_holds_the_pictures_of_the_order():
    data, fed = TinyData(), feed(True)
    draw = fed.order.draw(16, 16)
    expected = data.images(draw.indices)
    expected[draw.mirror] = expected[draw.mirror].flip(3)
    assert draw.mirror.any() and not draw.mirror.all()
    assert torch.equal(fed.batch(16).image, expected.float() / 127.5 - 1)
    fed.close()


def test_nothing_is_kept_on_the_cpu_unasked():
    assert not fits(TinyData(), CPU)
