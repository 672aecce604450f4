"""EG3D: time and memory of rendering, of its gradient and of a training step, against the same mathematics plainly.

    python -m benchmarks.eg3d                          # 64 px, 48 + 48 samples, planes of 128 px, on a CPU
    python -m benchmarks.eg3d --resolution 128 --device cuda
    python -m benchmarks.eg3d --only step              # the networks of the recipe eg3d-scenes32, 8 pictures

A step is the main steps of generator and discriminator: forward and backward, no optimizer. The plain side is
`textbook_eg3d`. Memory is that of a process of its own (Linux), also with rays followed in parts.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import softplus

from benchmarks import textbook_eg3d
from benchmarks.measure import peak_memory, ratio, rounds, write
from stylegenes.cameras import orbit
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.generator import Generator
from stylegenes.recipes.eg3d import eg3d_scenes32
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.synthesis.eg3d import Decoder
from stylegenes.synthesis.volume import Field, Optics, Rays, Strata, cast_rays, in_parts, render, sample_planes

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
            features = textbook_eg3d.render(self.planes, self.decoder, self.rays, self.draws, OPTICS)
            return self._back(features) if gradient else features

    def _back(self, features: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(features.square().sum(), self.planes)[0]


def _once(resolution: int, device: str, most_points: int, gradient: bool) -> None:
    case = Case(resolution, device)
    case.ours(most_points, gradient=gradient) if most_points else case.plain(gradient=gradient)


class Step:
    """A generator and a discriminator of the recipe eg3d-scenes32, and how a step goes on either side."""

    def __init__(self, batch: int, device: str, most_points: int = PARTS[0]) -> None:
        torch.manual_seed(0)
        model = eg3d_scenes32().model
        self.G = Generator.from_spec(
            {"latent": model.latent, "synthesis": {**model.synthesis, "most_points": most_points}}
        )
        self.D = DISCRIMINATORS.build({**model.discriminator, "camera": False, "rendering_resolution": 16})
        self.G, self.D = self.G.to(device), self.D.to(device)
        size = self.G.synthesis.size.hw
        self.real = self.D.prepare(ImageBatch(torch.randn(batch, 3, *size, device=device)))

    def ours(self) -> None:
        """A step with our networks."""
        self._step(self.fakes, lambda image, raw: self.D(ImageBatch(image, raw=raw)))

    def plain(self) -> None:
        """The same with the textbook's functions."""
        made = partial(textbook_eg3d.generator_forward, self.G.synthesis)
        self._step(made, partial(textbook_eg3d.discriminator_forward, self.D))

    def fakes(self, ws: torch.Tensor, camera: torch.Tensor, noise: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures and rendered ones of ours."""
        made = self.G.synthesis(ws, Condition(camera=camera), noise=Noise("random" if noise else "none"))
        assert made.raw is not None
        return made.image, made.raw

    def inputs(self) -> tuple[torch.Tensor, torch.Tensor]:
        """ws and cameras of new fakes."""
        count = len(self.real)
        cameras = self.G.synthesis.draw_views(count)
        assert cameras is not None
        return self.G.express(self.G.sample(count)), cameras

    def difference(self) -> float:
        """Largest difference of pictures, rendered ones and logits between both sides: they must compute the same."""
        self.G.eval()
        with torch.no_grad():
            ws, camera = self.inputs()
            ours = self.fakes(ws, camera, noise=False)
            plain = textbook_eg3d.generator_forward(self.G.synthesis, ws, camera, noise=False)
            ours = (*ours, self.D(ImageBatch(ours[0], raw=ours[1])))
            plain = (*plain, textbook_eg3d.discriminator_forward(self.D, *ours[:2]))
        self.G.train()
        return max(float((a - b).abs().max() / a.abs().max()) for a, b in zip(ours, plain, strict=True))

    def _step(self, synthesize: Any, judge: Any) -> None:
        self.D.requires_grad_(False)
        softplus(-judge(*synthesize(*self.inputs()))).mean().backward()
        self.D.requires_grad_(True)
        with torch.no_grad():
            image, raw = synthesize(*self.inputs())
        real = self.real
        (softplus(judge(image, raw)).mean() + softplus(-judge(real.image, real.raw)).mean()).backward()
        for module in (self.G, self.D):
            module.zero_grad(set_to_none=True)


def _step_once(batch: int, device: str, most_points: int) -> None:
    step = Step(batch, device, most_points or PARTS[0])
    for _ in range(2):
        step.ours() if most_points else step.plain()


def time_steps(batch: int, count: int, device: str) -> dict[str, float]:
    """Seconds of a step on both sides, and memory, also with rays in parts."""
    step = Step(batch, device)
    result = {"step, difference": step.difference()}
    seconds = rounds({"ours": step.ours, "plain": step.plain}, count, torch.device(device))
    result |= {f"step, {side}, s": sorted(times)[len(times) // 2] for side, times in seconds.items()}
    result["step, plain / ours"] = ratio(seconds["plain"], seconds["ours"])
    for parts in (PARTS[0], 2**12, 0):
        words = f"{parts} points at a time" if parts else "plain"
        result[f"step, {words}, MB"] = peak_memory(_step_once, batch, device, parts)
    return result


def time_rendering(resolution: int, count: int, device: str) -> dict[str, float]:
    """Seconds of a picture and of a gradient on both sides, and memory, also with rays in parts."""
    case = Case(resolution, device)
    result = {"difference": difference(case)}
    for name, gradient in (("picture", False), ("gradient", True)):
        tasks = {"ours": partial(case.ours, gradient=gradient), "plain": partial(case.plain, gradient=gradient)}
        seconds = rounds(tasks, count, torch.device(device))
        result |= {f"{name}, {side}, s": sorted(times)[len(times) // 2] for side, times in seconds.items()}
        result[f"{name}, plain / ours"] = ratio(seconds["plain"], seconds["ours"])
        for parts in (*PARTS, 0):
            words = f"{parts} points at a time" if parts else "plain"
            result[f"{name}, {words}, MB"] = peak_memory(_once, resolution, device, parts, gradient)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8, help="pictures of a step")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", choices=["rendering", "step"])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/eg3d.json"))
    args = parser.parse_args()
    result = {} if args.only == "step" else time_rendering(args.resolution, args.rounds, args.device)
    result |= {} if args.only == "rendering" else time_steps(args.batch, args.rounds, args.device)
    for name, value in result.items():
        print(f"{name:<44} {value:.4g}")
    write(args.out, result)


def difference(case: Case) -> float:
    """The largest difference between both sides' gradients, by their largest."""
    ours, plain = case.ours(PARTS[1]), case.plain()
    return float((ours - plain).abs().max() / plain.abs().max())


if __name__ == "__main__":
    main()
