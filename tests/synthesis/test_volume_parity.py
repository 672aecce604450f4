"""EG3D's renderer, decoder and super-resolution against recorded numbers of the official implementation."""

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.cameras import Cameras
from stylegenes.interop.eg3d import decoder_from_official, optics_of, super_resolution_from_official
from stylegenes.records import Noise
from stylegenes.synthesis.volume import (
    OFFICIAL_PLANES,
    Optics,
    Strata,
    box_span,
    cast_rays,
    importance_depths,
    march,
    plane_coordinates,
    render,
    sample_planes,
    spaced,
    span_of,
)

RENDERERS = fixtures("eg3d_renderer")


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def dtype(request):
    return request.param


class Scene:
    """The recorded planes, decoder and cameras."""

    def __init__(self, folder, dtype):
        self.fixture = fixture = Fixture(folder)
        self.dtype = dtype
        self.decoder = decoder_from_official(fixture.kwargs("decoder"), fixture.state("decoder", dtype))
        self.planes = fixture.input("planes", dtype)
        self.camera = Cameras(fixture.input("cam2world", dtype), fixture.input("intrinsics", dtype)).packed()
        count = fixture.config["arrays"]["ray_origins"]["shape"][1]
        self.rays = cast_rays(self.camera, round(count**0.5))

    def optics(self, name: str) -> Optics:
        return optics_of(self.fixture.config["rendering_options"][name])

    def look(self, planes: torch.Tensor, box: float):
        return lambda points: self.decoder(sample_planes(planes, points, box=box, official=True))

    def draws(self, name: str) -> Strata:
        coarse = self.fixture.input(f"u_coarse_{name}", self.dtype)
        shape = coarse.shape[:2]
        fine = coarse.new_zeros(*shape, 0)
        if self.fixture.has(f"u_fine_{name}"):
            fine = self.fixture.input(f"u_fine_{name}", self.dtype).unflatten(0, shape)
        return Strata(coarse, fine)


@pytest.mark.parametrize("folder", RENDERERS)
def test_rays(folder, dtype):
    scene = Scene(folder, dtype)
    scene.fixture.check("ray_origins", scene.rays.origins)
    scene.fixture.check("ray_directions", scene.rays.directions)


def boxes(fixture: Fixture) -> set[float]:
    return {options["box_warp"] for options in fixture.config["rendering_options"].values()}


@pytest.mark.parametrize("folder", RENDERERS)
def test_rays_meet_the_box(folder, dtype):
    scene = Scene(folder, dtype)
    problems = []
    for box in boxes(scene.fixture):
        span = box_span(scene.rays, box)
        hit = span.far >= span.near
        try:
            # Officially a ray that misses is given -1 and -2.
            scene.fixture.check("box_near", torch.where(hit, span.near, -1.0)[..., None])
            scene.fixture.check("box_far", torch.where(hit, span.far, -2.0)[..., None])
            return
        except AssertionError as problem:
            problems.append(problem)
    raise problems[0]


@pytest.mark.parametrize("folder", RENDERERS)
def test_planes(folder, dtype):
    scene = Scene(folder, dtype)
    fixture, points = scene.fixture, scene.fixture.input("points", dtype)
    axes = fixture.input("plane_axes", dtype)
    assert [tuple(row.nonzero()[0].item() for row in plane[:2]) for plane in axes.inverse().mT] == [*OFFICIAL_PLANES]
    fixture.check("plane_projections", plane_coordinates(points, official=True).flatten(0, 1))
    (box, *_) = boxes(fixture)
    found = sample_planes(scene.planes, points, box=box, official=True)
    fixture.check("sampled_features", found.mT)
    field = scene.decoder(found)
    fixture.check("points_rgb", field.features)
    fixture.check("points_sigma", field.density[..., None])


def options() -> list:
    """Every recorded set of options of every recorded renderer."""
    pairs = [(p.values[0], p.id) for p in RENDERERS if p.values[0] is not None]
    found = [(folder, name) for folder, _ in pairs for name in Fixture(folder).config["rendering_options"]]
    if not found:
        return RENDERERS and [pytest.param(None, None, marks=RENDERERS[0].marks, id="absent")]
    return [pytest.param(folder, name, id=f"{folder.name}-{name}") for folder, name in found]


@pytest.mark.parametrize(("folder", "name"), options())
def test_depths(folder, name, dtype):
    scene = Scene(folder, dtype)
    optics, draws = scene.optics(name), scene.draws(name)
    depth = spaced(span_of(scene.rays, optics), draws.coarse, optics)
    scene.fixture.check(f"depths_coarse_{name}", depth)
    if not scene.fixture.has(f"depths_fine_{name}"):
        return
    field = scene.look(scene.planes, optics.box)(scene.rays.at(depth).flatten(1, 2))
    weights = march(field.density.unflatten(1, depth.shape[1:]), depth, official=True)
    scene.fixture.check(f"depths_fine_{name}", importance_depths(depth, weights, draws.fine, optics), f64=1e-7)


@pytest.mark.parametrize(("folder", "name"), options())
def test_pictures_and_gradients(folder, name, dtype):
    scene = Scene(folder, dtype)
    optics, planes = scene.optics(name), scene.planes.requires_grad_()
    made = render(scene.look(planes, optics.box), scene.rays, optics, scene.draws(name))
    fixture = scene.fixture
    fixture.check(f"rgb_{name}", made.features)
    fixture.check(f"depth_{name}", made.depth[..., None])
    fixture.check(f"weights_sum_{name}", made.weight[..., None])
    (gradient,) = torch.autograd.grad((made.features * fixture.input(f"gy_{name}", dtype)).sum(), planes)
    fixture.check(f"grad_planes_{name}", gradient)


@pytest.mark.parametrize("folder", fixtures("eg3d_superresolution"))
@torch.no_grad()
def test_super_resolution(folder, dtype):
    fixture = Fixture(folder)
    name = fixture.config["modules"]["model"]["official_class"]
    module = super_resolution_from_official(name, fixture.kwargs(), fixture.state(dtype=dtype))
    x, ws = fixture.input("x", dtype), fixture.input("ws", dtype)
    fixture.check("img_const", module(x, ws[:, -1], Noise("const")))
    fixture.check("img_none", module(x, ws[:, -1], Noise("none")))
