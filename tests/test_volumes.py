"""Solid things out of 3D generators: meshes in world units, levels, densities, depth and normals."""

import math

import numpy as np
import pytest
import torch

from stylegenes.cameras import orbit
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.synthesis.eg3d import EG3DSynthesis
from stylegenes.synthesis.volume import Body, Field, Optics, Strata, cast_rays, render
from stylegenes.volumes import (
    absorption,
    around,
    depth_pictures,
    find_level,
    make_mesh,
    normal_pictures,
    sample_volume,
    swing,
)

CENTER = torch.tensor([0.1, -0.05, 0.12])


def ball(radius: float = 0.25, *, sharp: float = 400.0, box: float = 1.0) -> Body:
    """A ball beside the origin, softly bounded, whose right half is red and whose left half is blue."""

    def at(points: torch.Tensor) -> Field:
        density = (radius - (points - CENTER).norm(dim=2)) * sharp
        right = (points[..., 0] > CENTER[0]).float()
        return Field(torch.stack([right, torch.zeros_like(right), 1 - right], dim=2), density)

    def seen(camera: torch.Tensor, resolution: int):
        rays, optics = cast_rays(camera, resolution), Optics(48, 48, box=box, white=True)
        return render(at, rays, optics, Strata.centered(rays, optics))

    return Body(box, 3, at, seen)


def cameras(count: int = 4) -> torch.Tensor:
    return orbit(torch.arange(count) * 360.0 / count, torch.full((count,), 10.0), radius=2.7, fov=22)


@pytest.mark.parametrize(("resolution", "box"), [(40, 1.0), (65, 1.0), (64, 1.6)])
def test_a_mesh_is_the_thing_itself_in_world_units(resolution, box):
    """A ball that the published grid would shear by one voxel: every vertex is at its radius, to a tenth of a voxel."""
    body = ball(box=box)
    volume = sample_volume(body, resolution)
    made = make_mesh(body, volume, 20.0)
    distance = np.linalg.norm(made.vertices - CENTER.numpy(), axis=1)
    edge = 0.25 - 21 / 400
    assert np.abs(distance - edge).max() < 0.1 * box / (resolution - 1)
    corners = made.vertices[made.faces]
    volumes = np.einsum("ni,ni->n", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    assert volumes.sum() == pytest.approx(4 / 3 * math.pi * edge**3, rel=0.03), "faces look outward"
    right = made.vertices[:, 0] > 0.1 + box / resolution
    assert (made.colors[right] == [255, 0, 0]).all()


def test_a_thing_that_reaches_the_box_is_closed_there():
    body = ball(0.6)
    made = make_mesh(body, sample_volume(body, 24), 1.0)
    edges = np.sort(made.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert np.abs(made.vertices).max() == pytest.approx(0.5)


@pytest.mark.parametrize("sharp", [60.0, 400.0])
def test_the_level_is_found_where_the_depth_is(sharp):
    """Of all balls around the same center, the mesh is about the one whose depth differs least from the pictures'."""
    body = ball(sharp=sharp)
    level = find_level(body, cameras())
    made = make_mesh(body, sample_volume(body, 48), level)
    found = np.linalg.norm(made.vertices - CENTER.numpy(), axis=1).mean()
    seen, rays = body.seen(cameras(), 32), cast_rays(cameras(), 32)
    opaque = seen.weight > 0.5
    origins, directions, depth = rays.origins[opaque] - CENTER, rays.directions[opaque], seen.depth[opaque]
    along = (origins * directions).sum(dim=1)

    def error(radius: float) -> float:
        inside = along**2 - (origins**2).sum(dim=1) + radius**2
        first = torch.where(inside > 0, -along - inside.clamp(min=0).sqrt(), along.abs() + 0.9)
        return (first - depth).abs().mean().item()

    best = min(np.linspace(0.05, 0.25, 81), key=error)
    assert found == pytest.approx(best, abs=0.02)
    assert error(found) < 1.2 * error(best)


def test_a_level_without_surface_says_the_range():
    body = ball()
    volume = sample_volume(body, 16)
    with pytest.raises(UserError, match=r"level 1e\+06 meets no surface; densities of this volume go from .* to "):
        make_mesh(body, volume, 1e6)
    with pytest.raises(UserError, match="hardly anything of this volume is opaque"):
        find_level(ball(-1.0), cameras())
    with pytest.raises(UserError, match="2 to 1024 points"):
        sample_volume(body, 1)


@pytest.mark.parametrize("suffix", [".glb", ".ply", ".obj"])
def test_meshes_are_read_by_others(tmp_path, suffix):
    trimesh = pytest.importorskip("trimesh")
    body = ball()
    made = make_mesh(body, sample_volume(body, 24), 1.0)
    made.save(tmp_path / f"ball{suffix}")
    read = trimesh.load(tmp_path / f"ball{suffix}", force="mesh")
    assert len(read.faces) == len(made.faces) and read.is_watertight
    np.testing.assert_allclose(read.bounds, [made.vertices.min(0), made.vertices.max(0)], atol=1e-4)
    red = read.visual.vertex_colors[read.vertices[:, 0] > 0.15]
    assert len(red) and (red[:, :3] == [255, 0, 0]).all()
    with pytest.raises(UserError, match=r"can end in \.glb"):
        made.save(tmp_path / "ball.stl")


def test_densities_are_kept(tmp_path):
    volume = sample_volume(ball(), 12)
    volume.save(tmp_path / "ball.npz")
    with np.load(tmp_path / "ball.npz") as read:
        assert np.array_equal(read["density"], volume.density) and read["box"] == 1
    at = torch.tensor([[-0.5, -0.5 + 3 / 11, 0.5]])
    assert volume.density[0, 3, 11] == pytest.approx(absorption(ball(), at).item(), rel=1e-3, abs=1e-6)


def test_depth_and_normals_of_a_ball():
    body, view = ball(), orbit(torch.zeros(1), torch.zeros(1), radius=2.7, fov=22)
    (depth,), (normals,) = depth_pictures(body, view, 64), normal_pictures(body, view, 64)
    assert (depth[0, 0] == 255).all() and (normals[0, 0] == 255).all()
    seen = depth[..., 0] < 255
    row, column = (int(x) for x in np.argwhere(seen).mean(axis=0))
    assert depth[row, column, 0] <= depth[..., 0].min() + 3
    assert normals[row, column].tolist() == pytest.approx([127, 127, 255], abs=20)
    left, right = np.flatnonzero(seen[row])[[1, -2]]
    assert normals[row, left, 0] < 60 and normals[row, right, 0] > 195
    top, bottom = np.flatnonzero(seen[:, column])[[1, -2]]
    assert normals[top, column, 1] > 195 and normals[bottom, column, 1] < 60


def test_ways_around_a_model():
    G = Generator.from_spec(
        {
            "latent": {"name": "genome", "w_dim": 8, "num_genes": 4},
            "synthesis": {"name": "eg3d", **EG3DSynthesis.example_spec(16, 8)},
        }
    )
    turn = around(G.synthesis, 4, pitch=0.0)
    assert torch.allclose(turn[0], G.synthesis.views[0], atol=1e-5)
    assert torch.allclose(turn[1, [3, 7, 11]], torch.tensor([2.7, 0, 0]), atol=1e-5)
    look = swing(G.synthesis, 8)
    assert (look[:, 11] > 1.5).all() and look[:, 3].max() > 1 > -1 > look[:, 3].min()
    with torch.no_grad():
        body = G.synthesis.body(G.express(G.sample(1)))
    assert sample_volume(body, 6).density.shape == (6, 6, 6)
    flat = {"name": "stylegan2", "resolution": 8, "w_dim": 8, "channel_max": 8}
    with pytest.raises(UserError, match="makes flat pictures"):
        around(Generator.from_spec({"latent": G.latent.spec, "synthesis": flat}).synthesis, 4)
