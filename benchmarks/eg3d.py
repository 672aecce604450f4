"""EG3D's renderer: time and memory of a picture and of its gradient, against the same mathematics written plainly.

    python -m benchmarks.eg3d                          # 64 px, 48 + 48 samples, planes of 128 px, on a CPU
    python -m benchmarks.eg3d --resolution 128 --device cuda

The plain side follows all rays at once, keeps everything for the backward pass, multiplies transmittance up with a
cumulative product and samples planes with torch's own function. Memory is that of a process of its own (Linux).
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import torch
from torch.nn.functional import grid_sample, softplus

from benchmarks.measure import peak_memory, ratio, rounds, write
from stylegenes.cameras import orbit
from stylegenes.synthesis.eg3d import Decoder
from stylegenes.synthesis.volume import (
    Field,
    Optics,
    Rays,
    Strata,
    cast_rays,
    importance_depths,
    in_parts,
    plane_coordinates,
    render,
    sample_planes,
    spaced,
    span_of,
)

OPTICS = Optics(48, 48)
PARTS = (2**20, 2**16, 2**14)
"""Points at a time whose memory is compared."""


class Case:
    """Planes, a decoder and the rays of one picture."""

    def __init__(self, resolution: int, device: str) -> None:
        torch.manual_seed(0)
        self.planes = torch.randn(1, 3, 32, 128, 128, device=device, requires_grad=True)
        self.decoder = Decoder(32, 32).to(device)
        view = orbit(torch.zeros(1), torch.zeros(1), radius=2.7, fov=13.37).to(device)
        self.rays = cast_rays(view, resolution)
        self.draws = Strata.centered(self.rays, OPTICS)

    def ours(self, most_points: int = PARTS[0], *, gradient: bool = True) -> torch.Tensor:
        """Features [1, R, 32]."""

        def drawing(points: torch.Tensor) -> Field:
            return self.decoder(sample_planes(self.planes, points, box=OPTICS.box))

        def follow(rays: Rays, draws: Strata):  # noqa: ANN202
            return render(drawing, rays, OPTICS, draws)

        with torch.set_grad_enabled(gradient):
            features = in_parts(self.rays, OPTICS, self.draws, most_points, follow).features
            return self._back(features) if gradient else features

    def plain(self, *, gradient: bool = True) -> torch.Tensor:
        """The same."""
        with torch.set_grad_enabled(gradient):
            span = span_of(self.rays, OPTICS)
            coarse = spaced(span, self.draws.coarse, OPTICS)
            color, density = self._look(coarse)
            weights, _ = self._march(color, density, coarse)
            fine = importance_depths(coarse, weights, self.draws.fine, OPTICS)
            more, dense = self._look(fine)
            depth, order = torch.cat([coarse, fine], dim=2).sort(dim=2)
            color = torch.cat([color, more], dim=2)
            color = color.gather(2, order[..., None].expand_as(color))
            _, features = self._march(color, torch.cat([density, dense], dim=2).gather(2, order), depth)
            return self._back(features * 2 - 1) if gradient else features * 2 - 1

    def _look(self, depth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        points = self.rays.at(depth).flatten(1, 2)
        grid = plane_coordinates(points * 2 / OPTICS.box).flatten(0, 1)[:, None]
        found = grid_sample(self.planes.flatten(0, 1), grid, align_corners=False).squeeze(2)
        field = self.decoder(found.unflatten(0, (1, 3)))
        return field.features.unflatten(1, depth.shape[1:]), field.density.unflatten(1, depth.shape[1:])

    def _march(
        self, color: torch.Tensor, density: torch.Tensor, depth: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        middle = softplus((density[..., 1:] + density[..., :-1]) / 2 - 1)
        alpha = 1 - torch.exp(-middle * depth.diff(dim=2))
        through = torch.cumprod(torch.cat([torch.ones_like(alpha[..., :1]), 1 - alpha + 1e-10], dim=2), dim=2)
        weights = alpha * through[..., :-1]
        return weights, (weights[..., None] * (color[:, :, 1:] + color[:, :, :-1]) / 2).sum(dim=2)

    def _back(self, features: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(features.square().sum(), self.planes)[0]


def _once(resolution: int, device: str, most_points: int, gradient: bool) -> None:
    case = Case(resolution, device)
    case.ours(most_points, gradient=gradient) if most_points else case.plain(gradient=gradient)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/eg3d.json"))
    args = parser.parse_args()
    case = Case(args.resolution, args.device)
    result: dict[str, float] = {"difference": difference(case)}
    for name, gradient in (("picture", False), ("gradient", True)):
        tasks = {"ours": partial(case.ours, gradient=gradient), "plain": partial(case.plain, gradient=gradient)}
        seconds = rounds(tasks, args.rounds, torch.device(args.device))
        result |= {f"{name}, {side}, s": sorted(times)[len(times) // 2] for side, times in seconds.items()}
        result[f"{name}, plain / ours"] = ratio(seconds["plain"], seconds["ours"])
        for parts in (*PARTS, 0):
            words = f"{parts} points at a time" if parts else "plain"
            result[f"{name}, {words}, MB"] = peak_memory(_once, args.resolution, args.device, parts, gradient)
    for name, value in result.items():
        print(f"{name:<44} {value:.4g}")
    write(args.out, result)


def difference(case: Case) -> float:
    """The largest difference between both sides' gradients, by their largest."""
    ours, plain = case.ours(PARTS[1]), case.plain()
    return float((ours - plain).abs().max() / plain.abs().max())


if __name__ == "__main__":
    main()
