"""How right a 3D model's depth is: scenes that it never saw are projected, and their depth compared with the truth.

    python -m benchmarks.scene_depth runs/scenes

Each scene is projected into W+ through its own camera; then model and scene are seen from that side, from 90 degrees on
and from behind. Over pixels in which both show something: Pearson correlation and mean absolute error of the depth, in
world units; and how much of both silhouettes is common to them (intersection over union).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import write
from stylegenes.cameras import orbit
from stylegenes.data.scenes.domain import FOV, RADIUS, Scene, sample
from stylegenes.data.scenes.solids import shoot
from stylegenes.generator import Generator
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.projection import ProjectionSettings, Projector, project
from stylegenes.perception import PerceptualLite0
from stylegenes.records import Condition
from stylegenes.size import Size
from stylegenes.snapshot import load_snapshot

HELD_OUT = 99
"""A stream of scenes that no recipe trains on."""


def targets_of(scenes: Sequence[Scene], resolution: int) -> torch.Tensor:
    """Pictures of scenes through their own cameras, [N, 3, H, W] in [-1, 1]."""
    colors = np.stack([shoot(scene.solids, scene.camera, resolution).color for scene in scenes])
    return torch.from_numpy(np.rint(colors * 255) / 127.5 - 1).float().permute(0, 3, 1, 2)


@torch.no_grad()
def compare(G: Generator, ws: torch.Tensor, scenes: Sequence[Scene], turn: float) -> dict[str, float]:
    """Correlation, error and common silhouette from `turn` degrees beside each scene's camera."""
    pairs, common = [], []
    for one, scene in zip(ws.split(1), scenes, strict=True):
        angles = (torch.tensor([scene.yaw + turn]), torch.tensor([scene.pitch]))
        camera = orbit(*(angle.float() for angle in angles), radius=RADIUS, fov=FOV)
        size = Size.of(G.synthesis.resolution).longer
        seen = G.synthesis.body(one).seen(camera.to(one), size)
        true = torch.from_numpy(shoot(scene.solids, camera[0].numpy(), size).depth).float().flatten()
        ours, theirs = seen.weight[0].cpu() > 0.5, torch.isfinite(true)
        common.append(float((ours & theirs).sum() / (ours | theirs).sum().clamp(min=1)))
        pairs.append(torch.stack([true, seen.depth[0].cpu()])[:, ours & theirs])
    depth = torch.cat(pairs, dim=1)
    error = (depth[0] - depth[1]).abs().mean()
    return {"correlation": float(depth.corrcoef()[0, 1]), "error": float(error), "silhouette": float(np.mean(common))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/scene_depth.json"))
    args = parser.parse_args()
    G = load_snapshot(args.snapshot).generator
    scenes = [sample(HELD_OUT, index) for index in range(args.count)]
    cameras = torch.from_numpy(np.stack([scene.camera for scene in scenes]))
    objective = Objective(PerceptualLite0().eval().requires_grad_(False))
    settings = ProjectionSettings(space="w+", steps=args.steps)
    targets = targets_of(scenes, Size.of(G.synthesis.resolution).longer)
    found = project(Projector(G, targets, objective, settings, Condition(camera=cameras)))
    result = {"mse": float(found.mse.mean())}
    for turn in (0.0, 90.0, 180.0):
        for name, value in compare(G, found.ws, scenes, turn).items():
            result[f"{name} at {turn:g} degrees"] = value
    for name, value in result.items():
        print(f"{name:<28} {value:.3f}")
    write(args.out, result)


if __name__ == "__main__":
    main()
