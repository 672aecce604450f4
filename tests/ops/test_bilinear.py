"""Bilinear sampling: its derivatives, once with respect to positions and twice with respect to pixels."""

import torch

from stylegenes.ops.bilinear import sample_bilinear


def test_gradients(rng):
    images = torch.rand(1, 1, 4, 5, dtype=torch.float64, generator=rng).requires_grad_()
    grid = (torch.rand(1, 3, 3, 2, dtype=torch.float64, generator=rng) * 2.4 - 1.2).requires_grad_()
    assert torch.autograd.gradcheck(sample_bilinear, (images, grid))
    fixed = grid.detach()
    assert torch.autograd.gradcheck(lambda x: sample_bilinear(x, fixed), images)
    assert torch.autograd.gradgradcheck(lambda x: sample_bilinear(x, fixed).square(), images)
