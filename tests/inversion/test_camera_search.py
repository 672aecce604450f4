"""Inversion of 3D models: with a camera that is given, and with one that is found."""

import pytest
import torch
from latent_toys import PooledDistance

from stylegenes.cameras import fov_of
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.inversion.cameras import CameraSettings, sight
from stylegenes.inversion.objective import Objective
from stylegenes.inversion.projection import ProjectionSettings, Projector, project
from stylegenes.records import Condition, Noise
from stylegenes.synthesis.eg3d import EG3DSynthesis


@pytest.fixture(scope="module")
def model() -> Generator:
    """A random model whose sides differ much: strong planes, and pictures that are the rendered ones, enlarged."""
    torch.manual_seed(5)
    spec = {"name": "eg3d", **EG3DSynthesis.example_spec(16, 8), "samples": 12, "importance": 12, "fov": 20.0}
    latent = {"name": "genome", "w_dim": 8, "num_genes": 4, "num_variants": 8}
    G = Generator.from_spec({"latent": latent, "synthesis": spec}).eval().requires_grad_(False)
    S = G.synthesis
    for block in (S.super_resolution.block0, S.super_resolution.block1):
        block.to_rgb.weight *= 0
    for block in S.backbone.blocks:
        block.to_rgb.weight *= 2
    S.decoder.hidden.weight *= 2
    S.decoder.out.weight *= 4
    return G


def target(G: Generator, seed: int, yaw: float, pitch: float) -> torch.Tensor:
    code = G.sample(1, torch.Generator().manual_seed(seed))
    return G(code, Condition(camera=G.synthesis.camera_at(yaw, pitch)), noise=Noise("const")).image


def test_given_cameras_are_used(model):
    """Each picture by its own: the mean code, from which a projection starts, makes both only from the right sides."""
    right = torch.cat([model.synthesis.camera_at(50.0, 10.0), model.synthesis.camera_at(-40.0, 0.0)])
    images = model(model.sample(2), Condition(camera=right), psi=0.0, noise=Noise("const")).image
    settings, objective = ProjectionSettings(steps=2, jitter=0.0), Objective(PooledDistance())
    traces = [
        project(Projector(model, images, objective, settings, Condition(camera=camera))).trace[0]
        for camera in (right, right.flip(0))
    ]
    assert traces[0].max() < 1e-9 < 1e-4 < traces[1].min()


@pytest.mark.parametrize(("yaw", "pitch"), [(75.0, 5.0), (-25.0, 20.0)])
def test_the_camera_of_a_known_thing_is_found(model, yaw, pitch):
    """Of the mean code, from which the search starts; no start is on the side that the picture was made from."""
    view = Condition(camera=model.synthesis.camera_at(yaw, pitch))
    image = model(model.sample(1), view, psi=0.0, noise=Noise("const")).image
    settings = CameraSettings(tries=40, steps=60, keep=2, learning_rate=1e-6)
    found = sight(model, image, Objective(PooledDistance()), settings)
    assert found.yaw.item() == pytest.approx(yaw, abs=2) and found.pitch.item() == pytest.approx(pitch, abs=2)
    assert found.tried.shape == (1, 6) and found.total < 0.1 * found.tried.max()
    assert fov_of(found.camera).item() == pytest.approx(20.0, rel=1e-3)
    again = model.synthesis(found.ws, Condition(camera=found.camera), noise=Noise("const")).image
    assert (again - image).square().mean() < 0.02 * image.var()


def test_thing_and_camera_together_make_the_picture(model):
    """Which of several pairs is found may differ from what made it; together they make nearly the same picture."""
    image = target(model, 5, -60.0, 0.0)
    found = sight(model, image, Objective(PooledDistance()), CameraSettings(tries=40, steps=80))
    assert found.total < found.tried.min()
    again = model.synthesis(found.ws, Condition(camera=found.camera), noise=Noise("const")).image
    assert (again - image).square().mean() < 0.05 * image.var()


def test_what_cannot_be_sought(model):
    with pytest.raises(UserError, match="at least one yaw"):
        CameraSettings(yaws=())
    with pytest.raises(UserError, match="rates must be positive"):
        CameraSettings(turn_rate=0)
    flat = {"name": "stylegan2", "resolution": 16, "w_dim": 8, "channel_base": 64, "channel_max": 8}
    other = Generator.from_spec({"latent": model.latent.spec, "synthesis": flat})
    with pytest.raises(UserError, match="makes flat pictures"):
        sight(other, torch.zeros(1, 3, 16, 16), Objective(PooledDistance()))
