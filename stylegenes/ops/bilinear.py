"""Bilinear sampling and resizing of pictures, differentiable any number of times with respect to the pictures."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import grid_sample, interpolate

from stylegenes.errors import UserError, shown
from stylegenes.ops.fir import downsample2d, upsample2d

RESIZINGS = ("antialiased", "classic", "none")
"""Ways to resize by name; a number above 0 and below 1 mixes so much of the first with the rest of the last."""


class _SampleBilinear(torch.autograd.Function):
    """Bilinear sampling is linear in the pixels, so its gradient's gradient is the sampling itself."""

    @staticmethod
    def forward(ctx: Any, images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(grid, *([images] if ctx.needs_input_grad[1] else []))
        ctx.shape = images.shape
        return grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        grid, *images = ctx.saved_tensors
        spread = _SpreadBilinear.apply(grads[0], grid, ctx.shape) if ctx.needs_input_grad[0] else None
        moved = _backward(grads[0], images[0], grid, [False, True])[1] if ctx.needs_input_grad[1] else None
        return spread, moved


class _SpreadBilinear(torch.autograd.Function):
    """The transpose of bilinear sampling: adds values back to the pixels that they were sampled from."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, grid: torch.Tensor, shape: torch.Size) -> torch.Tensor:
        ctx.save_for_backward(grid)
        return _backward(values, values.new_zeros(shape), grid, [True, False])[0]

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return _SampleBilinear.apply(grads[0], ctx.saved_tensors[0]), None, None


def _backward(
    values: torch.Tensor, images: torch.Tensor, grid: torch.Tensor, mask: list[bool]
) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.ops.aten.grid_sampler_2d_backward(values, images, grid, 0, 0, False, mask)


def sample_bilinear(images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Sample `images` [N, C, H, W] at `grid` [N, h, w, 2] in [-1, 1] over pixel edges; zero outside.

    Differentiable any number of times with respect to the images, and once with respect to the grid.
    """
    # Without gradients the operation is called as it is, so that exporters can trace it.
    if not torch.is_grad_enabled():
        return grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return _SampleBilinear.apply(images, grid)


def resize(x: torch.Tensor, resolution: int) -> torch.Tensor:
    """[N, C, h, w] to resolution x resolution pixels, antialiased where it shrinks."""
    if x.shape[-2:] == (resolution, resolution):
        return x
    if torch.onnx.is_in_onnx_export():
        # Exporters know no antialiasing.
        rows, columns = (_antialiased_weights(int(size), resolution).to(x) for size in x.shape[-2:])
        return rows @ x @ columns.transpose(0, 1)
    return interpolate(x, (resolution, resolution), mode="bilinear", align_corners=False, antialias=True)


def _antialiased_weights(size: int, resolution: int) -> torch.Tensor:
    """Weights [resolution, size] that resize an axis: a triangle around each new pixel, wider where it shrinks."""
    scale = size / resolution
    centers = (torch.arange(resolution, dtype=torch.float64, device="cpu") + 0.5) * scale
    away = torch.arange(size, dtype=torch.float64, device="cpu") + 0.5 - centers[:, None]
    weights = (1 - (away / max(scale, 1)).abs()).clamp(min=0)
    return weights / weights.sum(dim=1, keepdim=True)


def check_resizing(way: str | float) -> str | float:
    """`way`, where it is one of `RESIZINGS` or a mixture.

    Raises:
        UserError: where it is not.
    """
    mixture = isinstance(way, int | float) and not isinstance(way, bool) and 0 < way < 1
    if way not in RESIZINGS and not mixture:
        raise UserError(f"resizing is {', '.join(RESIZINGS)} or a number above 0 and below 1; got {shown(way)}")
    return way


def resize_as(x: torch.Tensor, resolution: int, way: str | float, f: torch.Tensor) -> torch.Tensor:
    """[N, C, h, w] to resolution x resolution pixels in one of EG3D's ways.

    Args:
        x: the pictures.
        resolution: height and width of the result.
        way: `antialiased`; `classic`: doubled, resized and halved with the filter, as StyleGAN3's augmentation moves
            pictures; `none`: bilinear without antialiasing; or a number, the share of antialiased in a mixture with it.
        f: filter of the classic way, from `setup_filter`.
    """
    if way == "antialiased":
        return resize(x, resolution)
    if way == "classic":
        # Two pixels more, which the halving cuts off again, so that borders are not darkened.
        return downsample2d(_plain(upsample2d(x, f), 2 * resolution + 2), f, padding=-1, flip_filter=True)
    plain = _plain(x, resolution)
    return plain if isinstance(way, str) else torch.lerp(plain, resize(x, resolution), way)


def _plain(x: torch.Tensor, resolution: int) -> torch.Tensor:
    return interpolate(x, (resolution, resolution), mode="bilinear", align_corners=False)
