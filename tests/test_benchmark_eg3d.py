"""The benchmarks of three dimensions compare what they say: the same mathematics, and depth with the truth."""

import pytest
import torch

from benchmarks.eg3d import Case, Step, difference
from benchmarks.scene_depth import compare, targets_of
from stylegenes.cameras import orbit
from stylegenes.data.scenes.domain import sample
from stylegenes.data.scenes.solids import shoot
from stylegenes.synthesis.volume import Body, Rendering


def test_both_sides_compute_the_same():
    assert difference(Case(6, "cpu")) < 1e-3


def test_both_sides_of_a_step_compute_the_same():
    """Pictures, rendered pictures and logits; and a step on either side leaves no gradient behind."""
    step = Step(2, "cpu")
    assert step.difference() < 1e-4
    step.plain()
    step.ours()
    assert all(p.grad is None for module in (step.G, step.D) for p in module.parameters())


class Truth:
    """Stands for a generator whose volume is a scene itself, or one turned by some degrees."""

    resolution = 24

    def __init__(self, scene, turned: float = 0.0) -> None:
        self.scene, self.turned, self.synthesis = scene, turned, self

    def body(self, ws: torch.Tensor) -> Body:
        def seen(camera: torch.Tensor, resolution: int) -> Rendering:
            yaw = torch.atan2(camera[0, 3], camera[0, 11]).rad2deg() + self.turned
            pitch = torch.asin(camera[0, 7] / 2.7).rad2deg()
            view = orbit(yaw[None], pitch[None], radius=2.7, fov=21.0)[0].numpy()
            depth = torch.from_numpy(shoot(self.scene.solids, view, resolution).depth).float().flatten()[None]
            shown = torch.isfinite(depth)
            return Rendering(torch.zeros(1, depth.shape[1], 3), torch.where(shown, depth, 9.0), shown.float())

        return Body(1.0, 3, None, seen)


def test_depth_is_compared_with_the_truth():
    scene = next(s for s in (sample(0, i) for i in range(50)) if {"Box", "Large", "Tall"} <= s.shown)
    ws = torch.zeros(1, 1, 1)
    right = compare(Truth(scene), ws, [scene], 90.0)
    assert right["correlation"] == pytest.approx(1, abs=1e-3) and right["error"] < 1e-3 and right["silhouette"] > 0.97
    wrong = compare(Truth(scene, 37.0), ws, [scene], 90.0)
    assert wrong["correlation"] < 0.9 and wrong["error"] > 0.02
    targets = targets_of([scene], 16)
    assert targets.shape == (1, 3, 16, 16) and targets.min() >= -1 and targets.max() == 1
