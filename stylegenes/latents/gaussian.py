"""Continuous latent distributions: the plain Gaussian prior, and the mapping network of StyleGAN.

The mapping network is section 2 of "A Style-Based Generator Architecture for GANs" (Karras et al. 2019), with the
input normalization and the label embedding of StyleGAN2-ADA.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from stylegenes.cameras import NUMBERS
from stylegenes.errors import UserError
from stylegenes.latents.base import LATENTS, LatentDistribution
from stylegenes.latents.strings import decode_numbers, encode
from stylegenes.layers import Linear, normalize_second_moment
from stylegenes.ops.transfer import upload
from stylegenes.records import Condition
from stylegenes.shape import Count, Few, Positive, Share


def slerp(start: torch.Tensor, end: torch.Tensor, t: float | torch.Tensor) -> torch.Tensor:
    """Spherical interpolation of the directions of two batches [N, C]; the length goes linearly between theirs.

    Between opposite directions one of the many shortest ways is taken.
    """
    length = torch.lerp(start.norm(dim=1, keepdim=True), end.norm(dim=1, keepdim=True), t)
    start, end = nn.functional.normalize(start, dim=1), nn.functional.normalize(end, dim=1)
    cosine = (start * end).sum(dim=1, keepdim=True)
    across = end - cosine * start
    sine = across.norm(dim=1, keepdim=True)
    # The arc cosine would lose half of the digits of small angles.
    angle = t * torch.atan2(sine, cosine)
    opposite = (cosine < 0) & (sine < 1e-5)
    across = nn.functional.normalize(torch.where(opposite, _orthogonal(start), across), dim=1)
    return (start * angle.cos() + across * angle.sin()) * length


def _orthogonal(direction: torch.Tensor) -> torch.Tensor:
    """A direction at right angles to each of [N, C]: the axis along which it has least, as far as it is across."""
    axis = nn.functional.one_hot(direction.abs().argmin(dim=1), direction.shape[1]).to(direction.dtype)
    return axis - (axis * direction).sum(dim=1, keepdim=True) * direction


class _Continuous(LatentDistribution):
    """What the continuous distributions share: z ~ N(0, I), slerp between codes, strings of half-precision numbers."""

    z_dim: int

    def sample(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Draw `n` codes z ~ N(0, I), [n, z_dim]."""
        where = self.device if generator is None else generator.device
        return upload(torch.randn(n, self.z_dim, generator=generator, device=where), self.device)

    def interpolate(self, start: torch.Tensor, end: torch.Tensor, t: float | torch.Tensor) -> torch.Tensor:
        """The code at `t` on the great arc between two batches of z, [N, z_dim] (slerp)."""
        return slerp(start, end, t)

    def to_strings(self, code: torch.Tensor) -> list[str]:
        """Print codes exactly: float32, little-endian, base64 (URL-safe). Longer than a genotype's string by far."""
        rows = code.detach().cpu().to(torch.float32).numpy().astype("<f4")
        return [encode(row.tobytes()) for row in rows]

    def string_format(self) -> dict[str, Any]:
        """Base64 of the numbers themselves."""
        return {
            "encoding": "base64, URL-safe, without padding",
            "count": self.z_dim,
            "numbers": "float32, low byte first",
        }

    def from_strings(self, strings: list[str]) -> torch.Tensor:
        """Read codes printed by `to_strings`, [N, z_dim]."""
        rows = [self._unpack(string.strip()) for string in strings]
        return torch.from_numpy(np.stack(rows) if rows else np.zeros((0, self.z_dim), np.float32)).to(self.device)

    def _unpack(self, string: str) -> np.ndarray:
        return decode_numbers(string, self.z_dim, string)

    def check_code(self, code: torch.Tensor) -> None:
        """Refuse a code of another shape.

        Raises:
            UserError: when `code` is not [N, z_dim].
        """
        if code.ndim != 2 or code.shape[1] != self.z_dim:
            raise UserError(f"a code of this latent is [N, {self.z_dim}]; got {list(code.shape)}")


@LATENTS.register("gaussian")
class Gaussian(_Continuous):
    """The plain prior z ~ N(0, I), used as w itself. It has nothing to train."""

    def __init__(
        self,
        w_dim: Count = 512,  # length of z and of w
        *,
        normalize: bool = False,  # scale every z to unit second moment, as the traditional progressive GAN does
    ) -> None:
        super().__init__()
        self.w_dim = self.z_dim = w_dim
        self.normalize = normalize
        self.center: torch.Tensor
        self.register_buffer("center", torch.zeros(1, w_dim), persistent=False)

    def forward(self, code: torch.Tensor, condition: Condition | None = None) -> torch.Tensor:
        """z [N, z_dim] to w [N, w_dim]: the identity, or the normalized z."""
        self.check_code(code)
        return normalize_second_moment(code) if self.normalize else code

    def blend(
        self, start: torch.Tensor, end: torch.Tensor, t: float, condition: Condition | None = None
    ) -> torch.Tensor:
        """w at `t` on the great arc: the line would leave the shell that a Gaussian's samples lie on.

        Args:
            start: z [N, z_dim].
            end: z [N, z_dim].
            t: in [0, 1].
            condition: is not read.
        """
        return self(slerp(start, end, t))

    def mean(self, condition: Condition | None = None) -> torch.Tensor:
        """The mean of w, zero, [1, w_dim]."""
        return self.center


@LATENTS.register("mapping")
class Mapping(_Continuous):
    """A multi-layer perceptron from z (and a label) to w, with a running mean of w for truncation.

    Raises:
        UserError: for a label with depth 0 (nothing would read it), or negative sizes.
    """

    def __init__(
        self,
        w_dim: Count = 512,  # length of w
        z_dim: int | None = None,  # length of z; None takes w_dim
        *,
        depth: Few = 8,  # fully connected layers; 0 makes w the normalized z
        label_dim: int = 0,  # length of the label, 0 for none
        camera: bool = False,  # whether the camera is embedded with the label
        camera_scale: float = 1.0,  # factor on it; 0 embeds zeros whatever the camera is
        hidden_dim: int | None = None,  # width between the layers; None takes w_dim
        embed_dim: int | None = None,  # width of the embedded label; None takes w_dim
        lr_multiplier: Positive = 0.01,  # learning rate of the layers relative to the optimizer's
        w_avg_beta: Share = 0.998,  # decay of the running mean of w, a batch at a time
        act: str = "lrelu",  # activation after each layer
    ) -> None:
        super().__init__()
        self.w_dim, self.z_dim, self.label_dim = w_dim, z_dim or w_dim, label_dim
        self.reads_camera, told = camera, label_dim + camera * NUMBERS
        self.camera_scale = camera_scale
        if depth == 0 and told:
            raise UserError("a mapping of depth 0 has no layer that could read a label; use depth >= 1 or no label")
        if depth == 0 and self.z_dim != w_dim:
            raise UserError(f"a mapping of depth 0 needs z_dim == w_dim; got {self.z_dim} and {w_dim}")
        if depth < 0 or min(self.w_dim, self.z_dim) < 1:
            raise UserError(f"sizes must be positive; got {depth=}, {w_dim=}, z_dim={self.z_dim}")
        self.w_avg_beta = w_avg_beta
        embed_dim = (embed_dim or w_dim) if told else 0
        self.embed = Linear(told, embed_dim) if told else None
        widths = [self.z_dim + embed_dim] + [hidden_dim or w_dim] * (depth - 1) + [w_dim]
        self.layers = nn.ModuleList(
            Linear(widths[i], widths[i + 1], act=act, lr_multiplier=lr_multiplier) for i in range(depth)
        )
        self.w_avg: torch.Tensor
        self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, code: torch.Tensor, condition: Condition | None = None) -> torch.Tensor:
        """z [N, z_dim], and a label [N, label_dim] and camera where it reads them, to w [N, w_dim]."""
        self.check_code(code)
        told = self._told(condition, code.shape[0])
        x = normalize_second_moment(code)
        if self.embed is not None:
            x = torch.cat([x, normalize_second_moment(self.embed(torch.cat(told, dim=1).to(x.dtype)))], dim=1)
        for layer in self.layers:
            x = layer(x)
        return x

    def _told(self, condition: Condition | None, n: int) -> list[torch.Tensor]:
        """The label [n, label_dim] and the camera [n, 25], as far as it reads them."""
        label = self.check_label(condition, n)
        told = [] if label is None else [label]
        return [*told, self.check_camera(condition, n) * self.camera_scale] if self.reads_camera else told

    def mean(self, condition: Condition | None = None) -> torch.Tensor:
        """The running mean of w, [1, w_dim], over the labels of the training data."""
        return self.w_avg[None]

    def track(self, w: torch.Tensor) -> None:
        """Move the running mean towards the mean of a training batch w [N, w_dim]."""
        with torch.no_grad():
            self.w_avg.copy_(w.detach().mean(dim=0).to(self.w_avg.dtype).lerp(self.w_avg, self.w_avg_beta))
