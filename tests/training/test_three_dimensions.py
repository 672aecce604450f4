"""Training in three dimensions: cameras of reals and fakes, pairs of pictures, densities, and the schedules of EG3D."""

from dataclasses import replace

import pytest
import torch
from tiny_run import TinyData, tiny_config

from stylegenes.cameras import mirrored, orbit
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.latents import LATENTS
from stylegenes.ops.bilinear import resize
from stylegenes.records import Condition, ImageBatch
from stylegenes.snapshot import load_snapshot
from stylegenes.synthesis.eg3d import EG3DSynthesis
from stylegenes.training import Machine, train
from stylegenes.training.augment import AUGMENTS, augment_alike
from stylegenes.training.config import AugmentConfig, ModelConfig, RunConfig
from stylegenes.training.draws import draw_codes
from stylegenes.training.feed import Feed, pool_of
from stylegenes.training.foreword import foreword
from stylegenes.training.regularizers import R1, DensityVariation, PenaltyInputs
from stylegenes.training.resolve import complete_config
from stylegenes.training.state import STATE_FILE, read_state

SIZE = 16
CPU = torch.device("cpu")
DUAL = {"name": "dual", "resolution": SIZE, "channel_base": 64, "channel_max": 8, "rendering_resolution": 8}


class Seen(TinyData):
    """Pictures whose cameras are known."""

    content_hash = "tiny-seen"

    def __init__(self) -> None:
        super().__init__(16, resolution=SIZE)
        rng = torch.Generator().manual_seed(4)
        yaw, pitch = torch.rand(16, generator=rng) * 60, torch.rand(16, generator=rng) * 20
        self._cameras = orbit(yaw, pitch, radius=2.7, fov=20)

    def cameras(self, indices: torch.Tensor) -> torch.Tensor:
        return self._cameras[indices]


def synthesis_spec(**changes) -> dict:
    return {"name": "eg3d", **EG3DSynthesis.example_spec(SIZE, 8), **changes}


def config(steps: int = 2, *, latent: dict | None = None, **changes) -> RunConfig:
    base = tiny_config()
    genome = {"name": "genome", "w_dim": 8, "num_genes": 4, "num_variants": 4, "camera": True}
    return replace(
        base,
        **{
            "data": replace(base.data, resolution=SIZE),
            "model": ModelConfig(latent or genome, synthesis_spec(), {**DUAL, "camera": True}),
            "regularizers": {"r1": {"gamma": 1.0, "interval": 2}, "density": {"interval": 2, "points": 20}},
            "augment": AugmentConfig(pipe={"name": "ada"}, p={"name": "fixed", "value": 0.5}),
            "batch": replace(base.batch, total=4),
            "blur": {"name": "ramp", "start": 1.0, "end": 0.0, "end_kimg": 0.02},
            "rendering": {"name": "ramp", "start": 6.0, "end": 12.0, "end_kimg": 0.012},
            "pose_swap": {"name": "ramp", "start": 1.0, "end": 0.5, "end_kimg": 0.02},
            "camera_noise": 0.1,
            "mixing": 0.0,
            "kimg": 4 * steps / 1000,
            **changes,
        },
    )


def rows(cameras: torch.Tensor) -> set[tuple[float, ...]]:
    return {tuple(row) for row in cameras.tolist()}


def run(folder, settings: RunConfig, data: TinyData) -> dict[str, torch.Tensor]:
    train(settings, folder, data=data, machine=Machine("cpu"), quiet=True)
    return read_state(folder / STATE_FILE).tensors


@pytest.mark.parametrize("latent", [None, {"name": "mapping", "w_dim": 8, "depth": 1, "camera": True}])
def test_all_of_it_resumes_bit_for_bit(tmp_path, latent):
    whole = run(tmp_path / "whole", config(3, latent=latent), Seen())
    for steps in (1, 3):
        parts = run(tmp_path / "parts", config(steps, latent=latent), Seen())
    assert [key for key in whole if not torch.equal(whole[key], parts[key])] == []
    assert whole["G.synthesis.rendering"] == whole["D.rendering"] == whole["ema.synthesis.rendering"] == 10
    G = load_snapshot(tmp_path / "parts").generator
    views, known = G.synthesis.views, torch.cat([Seen().cameras(torch.arange(16)), mirrored(Seen()._cameras)])
    assert len(views.unique(dim=0)) > 16 and rows(views) <= rows(known)
    assert G(G.sample(2)).raw.shape[-1] == 10


def test_cameras_drawn_by_chance_where_the_data_has_none(tmp_path):
    model = ModelConfig(config().model.latent, synthesis_spec(yaw=180.0), DUAL)
    tensors = run(tmp_path, config(1, model=model), TinyData(16, resolution=SIZE))
    assert tensors["G.synthesis.views"][0, 3].abs() < 1e-6, "the front view stays first"
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values() if tensor.is_floating_point())
    with pytest.raises(UserError, match="tiny has no cameras; give data with cameras"):
        run(tmp_path / "other", config(1), TinyData(16, resolution=SIZE))


def test_a_flat_network_is_not_told_cameras(tmp_path):
    flat = {"name": "stylegan2", "resolution": SIZE, "w_dim": 8, "channel_base": 64, "channel_max": 8}
    model = ModelConfig({"name": "genome", "w_dim": 8, "num_genes": 4, "camera": True}, flat, DUAL)
    with pytest.raises(UserError, match=r"model\.latent\.camera is set, and synthesis 'stylegan2' has no camera"):
        run(tmp_path, config(1, model=model, rendering=None), Seen())


def test_mirrored_pictures_come_with_mirrored_cameras():
    data = Seen()
    feed = Feed(data, total=64, rank=0, ranks=1, mirror=True, labels=False, cameras=True, seed=0, device=CPU)
    share = feed._load(0)
    feed.close()
    pictures, cameras = data.images(torch.arange(16)), data.cameras(torch.arange(16))
    flipped = 0
    for image, camera in zip(share.images, share.condition.camera, strict=True):
        as_is = (pictures == image).flatten(1).all(dim=1)
        if as_is.any():
            assert torch.equal(camera, cameras[as_is][0])
        else:
            found = (pictures.flip(3) == image).flatten(1).all(dim=1)
            assert torch.equal(camera, mirrored(cameras[found])[0])
            flipped += 1
    assert 16 < flipped < 48
    pool = pool_of(data, EG3DSynthesis(**EG3DSynthesis.example_spec(SIZE, 8)), labels=True, mirror=True, seed=0)
    assert pool.camera.shape == (32, 25) and pool.label.shape == (32, 3)


@pytest.mark.parametrize(("probability", "low", "high"), [(0.0, 0, 0), (0.5, 60, 140), (1.0, 190, 200)])
def test_pose_swapping_tells_the_latent_another_camera(probability, low, high):
    G = Generator.from_spec({"latent": config().model.latent, "synthesis": synthesis_spec()})
    pool = Condition(camera=G.synthesis.views)
    rng = torch.Generator().manual_seed(0)
    codes = draw_codes(G, 200, rng=rng, mixing=0.0, pool=pool, pose_swap=probability)
    other = (codes.told.camera != codes.condition.camera).any(dim=1)
    assert low <= other.sum() <= high
    assert rows(codes.told.camera) <= rows(pool.camera)


@pytest.mark.parametrize("spec", [{"name": "genome", "num_genes": 4}, {"name": "mapping", "depth": 1}])
@pytest.mark.parametrize("camera", [False, True])
def test_latents_read_the_camera_where_they_are_built_to(spec, camera):
    sides = orbit(torch.tensor([0.0, 40.0]), torch.zeros(2), radius=2.7, fov=20)
    latent = LATENTS.build({**spec, "w_dim": 8, "camera": camera})
    for parameter in latent.parameters():
        torch.nn.init.normal_(parameter)
    w = latent(latent.sample(1).expand(2, -1), Condition(camera=sides))
    assert latent.reads_camera == camera
    assert ((w[0] - w[1]).abs().max() > 1e-5) == camera


def test_a_genome_starts_out_deaf_to_the_camera():
    genome = LATENTS.build({"name": "genome", "w_dim": 8, "num_genes": 4, "camera": True})
    code = genome.sample(3)
    view = Condition(camera=orbit(torch.zeros(3), torch.zeros(3), radius=2.0, fov=20))
    assert torch.equal(genome(code, view), genome(code)) and torch.equal(genome.mean(view)[:1], genome.mean())


def test_r1_is_on_both_pictures_of_a_pair():
    D = DISCRIMINATORS.build(DUAL).double()
    image, raw = torch.randn(4, 3, SIZE, SIZE).double(), torch.randn(4, 3, 8, 8).double()
    pair, inputs = ImageBatch(image, raw=raw), [image.clone().requires_grad_(), raw.clone().requires_grad_()]
    gradients = torch.autograd.grad(D(ImageBatch(inputs[0], raw=inputs[1])).sum(), inputs)
    expected = sum(g.square().sum(dim=(1, 2, 3)) for g in gradients)
    assert gradients[1].abs().max() > 0
    penalty = R1(2.0).penalty(PenaltyInputs(None, D, pair, None))
    torch.testing.assert_close(penalty, expected)


COLORS = {"brightness": 1, "contrast": 1, "hue": 1, "xflip": 1}


@pytest.mark.parametrize(
    "pipe", [{"name": "ada", "transforms": COLORS, "p": 1.0}, {"name": "diffaugment", "policy": "color"}]
)
def test_pairs_are_augmented_alike(pipe):
    augment = AUGMENTS.build(pipe)
    raw = torch.nn.functional.interpolate(torch.randn(6, 3, 4, 4), 16, mode="bicubic")
    image = resize(raw, 32)
    seen = augment_alike(augment, [image, raw], torch.Generator().manual_seed(0))
    assert (seen[0] - image).abs().mean() > 0.1
    inner = (slice(None), slice(None), slice(4, -4), slice(4, -4))
    difference = (resize(seen[0], 16) - seen[1])[inner].abs().mean()
    apart = augment_alike(augment, [image, raw.flip(0)], torch.Generator().manual_seed(0))
    assert difference < 0.05 < (resize(apart[0], 16) - apart[1])[inner].abs().mean()


def test_without_augmentation_a_pair_is_left_as_it_is():
    pair = [torch.randn(2, 3, 16, 16), torch.randn(2, 3, 8, 8)]
    seen = augment_alike(AUGMENTS.build({"name": "none"}), pair, torch.Generator())
    assert torch.equal(seen[0], pair[0]) and torch.equal(seen[1], pair[1])


@pytest.mark.parametrize(("official", "outside"), [(False, 0.0), (True, 7 / 8)])
@pytest.mark.parametrize("box", [1.0, 1.6])
def test_densities_are_compared_inside_the_box(official, outside, box, monkeypatch):
    """At box 1 seven eighths of the published code's points lie where nothing is; the share depends on the box."""
    G = Generator.from_spec({"latent": config().model.latent, "synthesis": synthesis_spec(box=box)})
    seen = []
    at = G.synthesis.at
    monkeypatch.setattr(G.synthesis, "at", lambda planes, points: seen.append(points) or at(planes, points))
    ws = G.express(G.sample(4))
    inputs = PenaltyInputs(G, None, None, None, torch.Generator().manual_seed(0), lambda: ws)
    penalty = DensityVariation(1.0, points=500, official=official).penalty(inputs)
    found = (seen[0][:, :500].abs() > box / 2).any(dim=2).float().mean().item()
    assert found == pytest.approx(1 - box**3 / 8 if official and outside else 0.0, abs=0.03)
    assert penalty.shape == (4,) and penalty.min() > 0
    (gradient,) = torch.autograd.grad(penalty.sum(), G.synthesis.decoder.out.weight)
    assert gradient.abs().max() > 0


def test_density_penalty_falls_with_the_distance():
    G = Generator.from_spec({"latent": config().model.latent, "synthesis": synthesis_spec()})
    ws = G.express(G.sample(4))
    inputs = PenaltyInputs(G, None, None, None, torch.Generator().manual_seed(0), lambda: ws)
    near, far = (DensityVariation(1.0, distance=d).penalty(inputs).mean() for d in (1e-4, 1e-2))
    assert 10 < far / near < 200


def test_dual_discriminators_see_both_pictures_and_the_camera():
    D = DISCRIMINATORS.build({**DUAL, "camera": True, "label_dim": 3})
    views = orbit(torch.tensor([0.0, 10, 20, 30]), torch.zeros(4), radius=2.7, fov=20)
    batch = ImageBatch(torch.randn(4, 3, SIZE, SIZE), condition=Condition(torch.eye(3)[[0, 1, 2, 0]], views))
    prepared = D.prepare(batch)
    assert torch.equal(prepared.raw, resize(batch.image, 8)) and D.prepare(prepared) is prepared
    D.render_at(4)
    assert D.prepare(batch).raw.shape[-1] == 4
    logits = D(prepared)
    assert not torch.allclose(logits, D(replace(prepared, raw=-prepared.raw)))
    assert not torch.allclose(logits, D(replace(prepared, condition=Condition(batch.condition.label, views.flip(0)))))
    with pytest.raises(UserError, match=r"needs cameras \[4, 25\]; none was given"):
        D(ImageBatch(batch.image, condition=Condition(batch.condition.label)))


@pytest.mark.parametrize("micro", [1, 2])
def test_camera_noise_leaves_the_cameras_and_is_finite(tmp_path, micro):
    """Officially it is added in place, and not a number for a single picture."""
    data = Seen()
    before = data._cameras.clone()
    model = ModelConfig(config().model.latent, synthesis_spec(), {**DUAL, "camera": True, "mbstd_num_channels": 0})
    settings = config(2, model=model, batch=replace(config().batch, total=2, micro=micro), camera_noise=1.0)
    tensors = run(tmp_path, settings, data)
    assert torch.equal(data._cameras, before)
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values() if tensor.is_floating_point())


def _turned(camera: torch.Tensor) -> torch.Tensor:
    """In OpenGL's axes."""
    return camera * torch.tensor([1.0, -1, -1, 1] * 4 + [1.0] * 9)


def _in_pixels(camera: torch.Tensor) -> torch.Tensor:
    return camera * torch.tensor([1.0] * 16 + [512.0] * 6 + [1.0] * 3)


def _far_away(camera: torch.Tensor) -> torch.Tensor:
    return camera * torch.tensor([1.0, 1, 1, 400] * 3 + [1.0] * 13)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda camera: camera, None),
        (_turned, "OpenGL's axes"),
        (_in_pixels, "intrinsics are in pixels"),
        (_far_away, "hardly anything of the box of side 1 around the origin"),
    ],
)
def test_odd_cameras_are_told_before_training(change, message):
    data = Seen()
    data._cameras = change(data._cameras)
    said = [line for line in foreword(complete_config(config(), data, warn=False), data, begun=True) if "odd" in line]
    assert said == [] if message is None else len(said) == 1 and message in said[0]
    flat = replace(tiny_config(), data=replace(tiny_config().data, resolution=SIZE))
    assert not [line for line in foreword(flat, data, begun=True) if "odd" in line]
