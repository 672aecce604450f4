"""LPIPS (Zhang et al. 2018) on VGG16: only with torchvision's weights and the published linear heads."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn

from stylegenes.files import file_hash
from stylegenes.perception.base import DISTANCES, PerceptualDistance
from stylegenes.perception.distances import check_pair, unit_normalize
from stylegenes.perception.resize import to_rgb
from stylegenes.perception.vgg import WIDTHS, VGG16Taps
from stylegenes.perception.weights import check_keys, fetched_file, load_tensors

VGG_FILE, HEADS_FILE = "vgg16.pth", "lpips-vgg.pth"


def check_heads(given: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """The five linear heads [1, C, 1, 1], in order.

    Raises:
        UserError: naming tensors that are missing, extra or of another shape.
    """
    wanted = {f"lin{i}.model.1.weight": torch.Size([1, widths[-1], 1, 1]) for i, widths in enumerate(WIDTHS)}
    check_keys(given, wanted, "the linear heads of LPIPS")
    return [given[name] for name in wanted]


def weighted_distance(a: torch.Tensor, b: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
    """Squared distance [N] of unit-normalized maps [N, C, H, W], channels weighted by `head` [1, C, 1, 1]."""
    return ((unit_normalize(a) - unit_normalize(b)).square() * head).sum(dim=1).mean(dim=(1, 2))


@DISTANCES.register("lpips")
class LPIPS(PerceptualDistance):
    """The published distance: unit-normalized taps, learned channel weights, mean over positions, sum over layers."""

    name = "lpips"

    def __init__(
        self,
        *,
        vgg: str | None = None,  # torchvision's VGG16 weights; None takes the fetched ones
        heads: str | None = None,  # the published linear heads; None takes the fetched ones
    ) -> None:
        super().__init__()
        paths = [Path(vgg) if vgg else fetched_file(VGG_FILE), Path(heads) if heads else fetched_file(HEADS_FILE)]
        self.taps = VGG16Taps()
        self.taps.load(load_tensors(paths[0]))
        heads_given = check_heads(load_tensors(paths[1]))
        self.heads = nn.ParameterList(nn.Parameter(head, requires_grad=False) for head in heads_given)
        # The mean and standard deviation of ImageNet, for pictures in [-1, 1].
        self.mean: torch.Tensor
        self.deviation: torch.Tensor
        self.register_buffer("mean", torch.tensor([-0.030, -0.088, -0.188])[:, None, None])
        self.register_buffer("deviation", torch.tensor([0.458, 0.448, 0.450])[:, None, None])
        self.weights_hash = hashlib.sha256("".join(map(file_hash, paths)).encode()).hexdigest()

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Distance [N] between pictures a and b, both [N, 1 or 3, H, W] in [-1, 1]; differentiable in both."""
        check_pair(a, b)
        maps = self.taps((to_rgb(torch.cat([a, b])) - self.mean) / self.deviation)
        layers = [weighted_distance(m[: len(a)], m[len(a) :], head) for m, head in zip(maps, self.heads)]
        return torch.stack(layers).sum(dim=0)

    def metric_name(self, metric: str) -> str:
        """The published name: `ppl_w_end` by LPIPS is just that."""
        return metric
