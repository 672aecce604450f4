"""Bilinear sampling: its derivatives, once with respect to positions and twice with respect to pixels."""

import pytest
import torch

from stylegenes.ops.bilinear import resize, sample_bilinear


def test_gradients(rng):
    images = torch.rand(1, 1, 4, 5, dtype=torch.float64, generator=rng).requires_grad_()
    grid = (torch.rand(1, 3, 3, 2, dtype=torch.float64, generator=rng) * 2.4 - 1.2).requires_grad_()
    assert torch.autograd.gradcheck(sample_bilinear, (images, grid))
    fixed = grid.detach()
    assert torch.autograd.gradcheck(lambda x: sample_bilinear(x, fixed), images)
    assert torch.autograd.gradgradcheck(lambda x: sample_bilinear(x, fixed).square(), images)


@pytest.mark.parametrize(("size", "resolution"), [(16, 4), (12, 5), (31, 7), (7, 31), (9, 8), (100, 33)])
def test_resizing_as_files_do_it_is_the_same(size, resolution, monkeypatch):
    x = torch.randn(2, 3, size, size, dtype=torch.float64)
    usual = resize(x, resolution)
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    assert torch.allclose(resize(x, resolution), usual, atol=1e-12)
