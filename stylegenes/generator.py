"""The seam: a latent distribution, then broadcasting, mixing and truncation, then a synthesis network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.latents import LATENTS, LatentDistribution
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.synthesis import SYNTHESES, SynthesisNetwork

MOST_PSI = 1000.0
"""Truncation, towards the mean or away from it, that pictures are drawn with; far less shows nothing but noise."""


def check_psi(psi: float) -> None:
    """Refuse a truncation that is no number, or beyond `MOST_PSI`.

    Raises:
        UserError: says what is allowed.
    """
    if not abs(psi) <= MOST_PSI:
        raise UserError(f"psi is a number from {-MOST_PSI:g} to {MOST_PSI:g}, and seldom beyond -1 and 1; got {psi:g}")


class Generator(nn.Module):
    """Codes in, pictures out. Training, metrics, analyses and the explorer see only this.

    Raises:
        UserError: when latent and synthesis disagree on w_dim.
    """

    def __init__(self, latent: LatentDistribution, synthesis: SynthesisNetwork) -> None:
        super().__init__()
        if latent.w_dim != synthesis.w_dim:
            raise UserError(f"the latent makes w of length {latent.w_dim}, the synthesis takes {synthesis.w_dim}")
        self.latent = latent
        self.synthesis = synthesis

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Generator:
        """Build from `{"latent": spec, "synthesis": spec}`; `generator.spec` gives it back."""
        return cls(LATENTS.build(spec["latent"]), SYNTHESES.build(spec["synthesis"]))

    @property
    def spec(self) -> dict[str, Any]:
        """The JSON-ready description that `from_spec` takes."""
        return {"latent": self.latent.spec, "synthesis": self.synthesis.spec}

    @property
    def label_dim(self) -> int:
        """Length of the label that latent or synthesis reads, 0 for none."""
        return max(self.latent.label_dim, self.synthesis.label_dim)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    def sample(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Draw `n` codes."""
        return self.latent.sample(n, generator)

    def broadcast(self, w: torch.Tensor) -> torch.Tensor:
        """One w for every layer: [N, w_dim] to ws [N, num_ws, w_dim]."""
        return w[:, None].expand(-1, self.synthesis.num_ws, -1)

    def truncate(
        self, ws: torch.Tensor, psi: float, cutoff: int | None = None, condition: Condition | None = None
    ) -> torch.Tensor:
        """Pull ws [N, num_ws, w_dim] towards the mean w: mean + psi (ws - mean), on the first `cutoff` layers.

        Works with every latent; psi may be negative. A genome is pulled towards its exact mean code.

        Args:
            ws: [N, num_ws, w_dim].
            psi: 1 changes nothing, 0 gives the mean, below 0 lies beyond it.
            cutoff: how many layers, from the first; all where None.
            condition: label and camera that the mean depends on.

        Raises:
            UserError: for a psi beyond `MOST_PSI`, or that is no number.
        """
        check_psi(psi)
        if psi == 1:
            return ws
        mean = self.latent.mean(condition)[:, None]
        layers = torch.arange(ws.shape[1], device=ws.device)[None, :, None]
        return torch.where(layers < (ws.shape[1] if cutoff is None else cutoff), mean.lerp(ws, psi), ws)

    def express(
        self, code: torch.Tensor, condition: Condition | None = None, *, psi: float = 1.0, cutoff: int | None = None
    ) -> torch.Tensor:
        """Codes [N, ...] to ws [N, num_ws, w_dim], truncated by `psi` on the first `cutoff` layers.

        Args:
            code: [N, ...].
            condition: labels and cameras, N rows.
            psi: truncation; 1 changes nothing.
            cutoff: layers that are truncated, from the first; all where None.
        """
        condition = self.synthesis.seen(condition, len(code))
        return self.truncate(self.broadcast(self.latent(code, condition)), psi, cutoff, condition)

    def forward(
        self,
        code: torch.Tensor,
        condition: Condition | None = None,
        *,
        psi: float = 1.0,
        cutoff: int | None = None,
        noise: Noise | None = None,
    ) -> ImageBatch:
        """Codes [N, ...] to pictures [N, C, H, W].

        Args:
            code: [N, ...].
            condition: labels and cameras, N rows.
            psi: truncation; 1 changes nothing.
            cutoff: layers that are truncated, from the first; all where None.
            noise: how noise inputs are filled; freshly at random where None.
        """
        return self.synthesis(self.express(code, condition, psi=psi, cutoff=cutoff), condition, noise=noise)


def mix(ws_a: torch.Tensor, ws_b: torch.Tensor, crossover: int | torch.Tensor) -> torch.Tensor:
    """Style mixing: `ws_a` for the layers before the crossover, `ws_b` from it on.

    Args:
        ws_a: [N, num_ws, w_dim].
        ws_b: [N, num_ws, w_dim].
        crossover: the first layer that `ws_b` drives; one number, or int64 [N] for one a sample.
    """
    layers = torch.arange(ws_a.shape[1], device=ws_a.device)[None, :, None]
    first = torch.as_tensor(crossover, device=ws_a.device).reshape(-1, 1, 1)
    return torch.where(layers < first, ws_a, ws_b)
