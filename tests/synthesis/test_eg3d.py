"""EG3D's generator: what is corrected over the published renderer, cameras, memory, and second derivatives."""

import math

import pytest
import torch

from stylegenes.cameras import orbit
from stylegenes.errors import UserError
from stylegenes.records import Condition, Noise
from stylegenes.synthesis import SYNTHESES
from stylegenes.synthesis.eg3d import EG3DSynthesis
from stylegenes.synthesis.volume import (
    Field,
    Optics,
    Rays,
    Strata,
    cast_rays,
    importance_depths,
    render,
    sample_planes,
    spaced,
    span_of,
)

BOTH = [Optics(12, 12), Optics(12, 12, official=True)]


def build(**changes) -> EG3DSynthesis:
    return SYNTHESES.build({"name": "eg3d", **EG3DSynthesis.example_spec(16, 8), **changes}).eval()


def camera(yaw: float = 0.0, pitch: float = 0.0, fov: float = 13.37, radius: float = 2.7) -> torch.Tensor:
    return orbit(torch.tensor([yaw]), torch.tensor([pitch]), radius=radius, fov=fov)


def ball(points: torch.Tensor) -> Field:
    """An opaque ball of radius 0.3."""
    inside = points.norm(dim=2) < 0.3
    return Field(points.new_ones(*points.shape[:2], 3), torch.where(inside, 200.0, -200.0))


def empty(points: torch.Tensor) -> Field:
    return Field(points.new_ones(*points.shape[:2], 3), points.new_full(points.shape[:2], -200.0))


@pytest.mark.parametrize(("official", "sees"), [(False, True), (True, False)])
def test_a_plane_sees_y_and_z_together(official, sees):
    """Four points of the yz square: only a function of y and z together tells the diagonals apart."""
    torch.manual_seed(1)
    planes = torch.randn(1, 3, 2, 8, 8)
    corners = torch.tensor([[0.1, y, z] for y in (-0.2, 0.3) for z in (-0.1, 0.25)])[None]
    found = sample_planes(planes, corners, box=1.0, official=official).mean(dim=1)
    diagonals = found[0, :, [0, 3]].sum(dim=1) - found[0, :, [1, 2]].sum(dim=1)
    assert (diagonals.abs().max() > 1e-3) == sees


@pytest.mark.parametrize(("optics", "depends"), zip(BOTH, (False, True)))
def test_depth_does_not_depend_on_the_other_rays(optics, depends):
    rays = cast_rays(torch.cat([camera(fov=5), camera(fov=60)]), 8)
    draws = Strata.centered(rays, optics)
    together = render(ball, rays, optics, draws).depth[:1]
    first = Rays(rays.origins[:1], rays.directions[:1])
    sparse = render(empty, first, optics, Strata.centered(first, optics)).depth
    crowded = render(empty, rays, optics, draws).depth[:1]
    alone = render(ball, first, optics, Strata.centered(first, optics)).depth
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(sparse, crowded, atol=1e-5) != depends


@pytest.mark.parametrize(("optics", "beyond"), zip(BOTH, (False, True)))
def test_samples_stay_between_near_and_far(optics, beyond, rng):
    rays = cast_rays(camera(), 8)
    span = span_of(rays, optics)
    depth = spaced(span, Strata.random(rays, optics, rng).coarse, optics)
    assert (depth >= span.near[..., None]).all() and depth.diff(dim=2).min() >= 0
    assert (depth > span.far[..., None] + 1e-6).any() == beyond


@pytest.mark.parametrize(("optics", "shift"), zip(BOTH, (0.0, -0.5)))
def test_importance_samples_lie_where_the_weight_is(optics, shift):
    """All weight in the interval from 5 to 6: smoothing spreads it evenly to both sides, so their mean is 5.5."""
    depth = torch.arange(12.0).expand(1, 1, -1)
    weights = torch.zeros(1, 1, 11)
    weights[..., 5] = 1e4
    draws = (torch.arange(1000) + 0.5).expand(1, 1, -1) / 1000
    found = importance_depths(depth, weights, draws, optics)
    assert found.mean().item() == pytest.approx(5.5 + shift, abs=0.01)


@pytest.mark.parametrize(("optics", "ghosts"), zip(BOTH, (False, True)))
def test_rays_beside_the_box_see_nothing(optics, ghosts):
    """A field that is solid everywhere, the box's outside included."""

    def solid(points: torch.Tensor) -> Field:
        return Field(points.new_ones(*points.shape[:2], 3), points.new_full(points.shape[:2], 50.0))

    rays = cast_rays(camera(fov=60), 16)
    made = render(solid, rays, optics, Strata.centered(rays, optics))
    corner, center = made.weight[0, 0], made.weight[0, 16 * 8 + 8]
    assert center > 0.99 and (corner > 0) == ghosts
    assert torch.isfinite(made.depth).all() and torch.isfinite(made.features).all()


def test_depth_of_a_ball():
    """Straight ahead 2.7 - 0.3; the silhouette has the ball's angular size."""
    optics = Optics(64, 64)
    rays = cast_rays(camera(), 33)
    made = render(ball, rays, optics, Strata.centered(rays, optics))
    middle = 33 * 16 + 16
    assert made.depth[0, middle].item() == pytest.approx(2.4, abs=0.02)
    tangent = math.tan(math.asin(0.3 / 2.7)) / math.tan(math.radians(13.37 / 2))
    assert (made.weight > 0.5).float().mean().item() == pytest.approx(min(math.pi / 4 * tangent**2, 1), rel=0.05)


def test_a_camera_inside_the_box_sees_what_is_before_it():
    rays = cast_rays(camera(radius=0.4, fov=20), 9)
    made = render(ball, rays, Optics(64, 64), Strata.centered(rays, Optics(64, 64)))
    assert made.depth[0, 40].item() == pytest.approx(0.1, abs=0.03) and made.weight.min() > 0.99


@pytest.mark.parametrize(("official", "same"), [(False, True), (True, False)])
def test_the_same_code_and_camera_make_the_same_picture(official, same):
    S = build(official=official)
    ws, view = torch.randn(1, S.num_ws, 8), Condition(camera=camera(20.0))
    a, b = (S(ws, view, noise=Noise("const")) for _ in range(2))
    assert torch.equal(a.image, b.image) == same
    S.train()
    drawn = [S(ws, view, noise=Noise("const", torch.Generator().manual_seed(seed))).raw for seed in (1, 1, 2)]
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


def test_cameras_move_the_picture_and_default_to_the_first_view():
    S = build()
    ws = torch.randn(2, S.num_ws, 8)
    front = S(ws, noise=Noise("const"))
    assert torch.equal(front.condition.camera, S.views[:1].expand(2, -1))
    assert torch.equal(front.image, S(ws, Condition(camera=camera().expand(2, -1)), noise=Noise("const")).image)
    side = S(ws, Condition(camera=camera(40.0).expand(2, -1)), noise=Noise("const"))
    assert (side.raw - front.raw).abs().max() > 1e-3
    assert front.raw.shape == (2, 3, 8, 8) and front.depth.shape == (2, 1, 8, 8)
    with pytest.raises(UserError, match=r"needs \[2, 25\]"):
        S(ws, Condition(camera=camera()))


def test_rays_in_parts_are_the_whole_within_bounded_memory(monkeypatch):
    whole, parts = build(rendering_resolution=12), build(rendering_resolution=12, most_points=300)
    parts.load_state_dict(whole.state_dict())
    seen = []
    at = parts.at
    monkeypatch.setattr(parts, "at", lambda planes, points: seen.append(points[..., 0].numel()) or at(planes, points))
    ws = torch.randn(2, whole.num_ws, 8, requires_grad=True)
    gradients = []
    for S in (whole, parts):
        made = S(ws, noise=Noise("const"))
        gradients.append(torch.autograd.grad((made.image.square().sum() + made.depth.sum()), ws)[0])
    assert max(seen) <= 300 and len(seen) > 8
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-5)


def test_second_derivatives_and_the_camera_s_gradient():
    """In one pass, since the places of importance samples are constants to the gradient."""
    S = build(importance=0).double()
    ws = torch.randn(1, S.num_ws, 8, dtype=torch.float64, requires_grad=True)
    view = camera(10.0).double().requires_grad_()
    image = S(ws, Condition(camera=view), noise=Noise("const")).image
    (gradient,) = torch.autograd.grad(image.sum(), ws, create_graph=True)
    assert torch.autograd.grad(gradient.square().sum(), S.backbone.blocks[0].const)[0].abs().max() > 0
    (moved,) = torch.autograd.grad(S(ws, Condition(camera=view), noise=Noise("const")).raw.sum(), view)
    step = torch.zeros_like(view)
    step[0, 3] = 1e-5
    with torch.no_grad():
        sums = [S(ws, Condition(camera=view + s), noise=Noise("const")).raw.sum() for s in (step, -step)]
    assert moved[0, 3].item() == pytest.approx(((sums[0] - sums[1]) / 2e-5).item(), rel=1e-3)


@pytest.mark.parametrize(("resolution", "start", "rendered"), [(32, 32, 8), (32, 16, 24), (32, 8, 64)])
def test_super_resolution_by_one_two_and_four_from_any_rendering(resolution, start, rendered):
    S = build(resolution=resolution, super_input=start, rendering_resolution=rendered)
    made = S(torch.randn(1, S.num_ws, 8))
    assert made.image.shape == (1, 3, resolution, resolution) and made.raw.shape[-1] == rendered
    S.render_at(12)
    assert S(torch.randn(1, S.num_ws, 8)).raw.shape[-1] == 12
    other = build(resolution=resolution, super_input=start, rendering_resolution=rendered)
    other.load_state_dict(S.state_dict())
    assert other(torch.randn(1, S.num_ws, 8)).raw.shape[-1] == 12


def test_density_is_that_of_the_picture():
    S = build()
    ws, points = torch.randn(2, S.num_ws, 8), torch.rand(2, 20, 3) - 0.5
    body, picture = S.body(ws), S(ws, noise=Noise("const"))
    assert torch.equal(body.seen(picture.condition.camera, 8).depth.view(2, 1, 8, 8), picture.depth)
    assert body.at(points).density.shape == (2, 20)
    assert torch.equal(body.at(points + 5).density, body.at(points + 9).density), "nothing outside the box"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"samples": 1}, "samples >= 2"),
        ({"near": 3.0}, "near < far, or neither"),
        ({"near": 3.0, "far": 2.0}, "near < far, or neither"),
        ({"super_input": 5}, "super-resolution makes 16 px of 16, 8 or 4 px"),
        ({"decoder_features": 2}, "3 color channels"),
        ({"rendering_resolution": 0}, "rendering_resolution"),
        ({"fov": 190}, "between 0 and 180"),
    ],
)
def test_what_cannot_be_is_refused(wrong, message):
    with pytest.raises(UserError, match=message):
        build(**wrong)


def test_flat_networks_say_that_they_have_no_volume():
    flat = SYNTHESES.build({"name": "stylegan2", "resolution": 8, "w_dim": 8, "channel_max": 8})
    assert not flat.has_camera
    with pytest.raises(UserError, match="has no volume"):
        flat.body(torch.zeros(1, 4, 8))
    with pytest.raises(UserError, match="renders no volume"):
        flat.render_at(8)


def test_rendering_is_never_below_float32():
    S = build(importance=0)
    ws = torch.randn(1, S.num_ws, 8)
    planes = S.planes(ws, Noise("const"))
    exact = S.rendered(planes, S.views[:1])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = S.rendered(planes, S.views[:1])
        assert S(ws, noise=Noise("const")).depth.dtype == torch.float32
        assert S.body(ws).at(torch.zeros(1, 3, 3)).density.dtype == torch.float32
    assert torch.equal(exact.features, rough.features) and torch.equal(exact.depth, rough.depth)
