"""Augmentation of pictures that are not square, and of those with other channels than colors."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylegenes.training.augment.ada import AugmentPipe
from stylegenes.training.augment.diffaugment import DiffAugment
from stylegenes.training.augment.draws import Amounts
from stylegenes.training.augment.geometry import GeometryRanges, inverse_matrix

SIZES = [(24, 32), (32, 24), (26, 64)]


def amounts(name: str, *values: float) -> Amounts:
    column = torch.tensor([values], dtype=torch.float64)
    return Amounts({name: column}, {name: torch.ones(1, dtype=torch.bool)})


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_turns_keep_a_picture_within_its_frame(height, width):
    """Four draws: quarter turns of a square, and half turns of everything else, so that nothing leaves the frame."""
    corner = torch.tensor([(width - 1) / 2, (height - 1) / 2, 1], dtype=torch.float64)
    for u, turned in [(0.1, 1), (0.3, 1), (0.6, -1), (0.9, -1)]:
        matrix = inverse_matrix(amounts("rotate90", u), GeometryRanges(), height, width)[0]
        expected = torch.tensor([turned * corner[0], turned * corner[1], 1], dtype=torch.float64)
        torch.testing.assert_close(matrix @ corner, expected)
    square = inverse_matrix(amounts("rotate90", 0.3), GeometryRanges(), height, height)[0]
    torch.testing.assert_close(
        square[:2, :2], torch.tensor([[0.0, -1], [1, 0]], dtype=torch.float64), atol=1e-9, rtol=0
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(16, 40), st.integers(16, 40), st.floats(0, 0.999))
def test_every_rotation_is_one_of_pixels_whatever_the_shape(height, width, u):
    matrix = inverse_matrix(amounts("rotate_pre", u), GeometryRanges(), height, width)[0]
    angle = (2 * u - 1) * math.pi
    expected = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    torch.testing.assert_close(matrix[:2, :2], expected.double())
    shift = inverse_matrix(amounts("xint", 1.0, 1.0), GeometryRanges(), height, width)[0]
    assert shift[:2, 2].tolist() == [-round(width / 8), -round(height / 8)]


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6])
def test_everything_at_once_keeps_the_shape_and_the_gradient(height, width, channels):
    images = torch.rand(4, channels, height, width) * 2 - 1
    images.requires_grad_()
    for pipe in (AugmentPipe("bgcfnc", p=1.0), DiffAugment()):
        made = pipe(images, torch.Generator().manual_seed(0))
        assert made.shape == images.shape and torch.isfinite(made).all()
        (slope,) = torch.autograd.grad(made.square().sum(), images)
        assert torch.isfinite(slope).all() and slope.abs().sum() > 0


@pytest.mark.parametrize("channels", [2, 4, 5, 6])
@pytest.mark.parametrize("pipe", [AugmentPipe("color", p=1.0), DiffAugment("color")], ids=["ada", "diffaugment"])
def test_color_is_changed_as_without_the_other_channels_and_they_are_left_alone(pipe, channels):
    colors = 1 if channels == 2 else 3
    images = torch.rand(3, channels, 16, 24) * 2 - 1
    made = pipe(images, torch.Generator().manual_seed(0))
    assert torch.equal(made[:, colors:], images[:, colors:])
    alone = pipe(images[:, :colors].contiguous(), torch.Generator().manual_seed(0))
    torch.testing.assert_close(made[:, :colors], alone)
    assert not torch.equal(made[:, :colors], images[:, :colors])
