"""What is peculiar to projected discriminators: a trunk that nobody trains and no state carries."""

import copy

import pytest
import torch

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.discriminators.projected import ProjectedDiscriminator
from stylegenes.errors import UserError
from stylegenes.records import ImageBatch

SPEC = {"name": "projected", **ProjectedDiscriminator.example_spec(16)}


def test_the_trunk_is_nobodys():
    D = DISCRIMINATORS.build(SPEC)
    trunk = {id(p) for p in D.trunk.parameters()}
    assert len(trunk) > 50 and not trunk & {id(p) for p in D.parameters()}
    assert not [key for key in D.state_dict() if "trunk" in key]
    assert sum(tensor.numel() for tensor in D.state_dict().values()) < 100_000


def test_the_trunk_moves_and_copies_along():
    D = DISCRIMINATORS.build(SPEC).double()
    assert next(D.trunk.parameters()).dtype == torch.float64
    other = copy.deepcopy(D).float()
    assert next(D.trunk.parameters()).dtype == torch.float64
    assert other(ImageBatch(torch.randn(2, 3, 16, 16))).dtype == torch.float32


def test_mixing_is_random_but_kept():
    batch = ImageBatch(torch.randn(2, 3, 16, 16))
    a, b = (DISCRIMINATORS.build({**SPEC, "pretrained": True}).eval() for _ in range(2))
    assert not torch.allclose(a(batch), b(batch))
    b.load_state_dict(a.state_dict())
    assert torch.equal(a(batch), b(batch))


def test_gradients_reach_the_picture_through_the_frozen_trunk():
    D = DISCRIMINATORS.build(SPEC)
    image = torch.randn(2, 3, 16, 16, requires_grad=True)
    D(ImageBatch(image)).sum().backward()
    assert image.grad is not None and image.grad.abs().sum() > 0
    assert all(p.grad is None for p in D.trunk.parameters())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"image_channels": 4}, "1 or 3 channels"), ({"heads": 5}, "1 to 4 heads"), ({"trunk_size": 32}, "at least 64")],
)
def test_what_cannot_be_is_refused(wrong, message):
    with pytest.raises(UserError, match=message):
        DISCRIMINATORS.build({**SPEC, **wrong})
