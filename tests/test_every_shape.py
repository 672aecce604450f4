"""Pictures that are not square, or have other channels than three: every network that can, through all of a run.

There is no list of networks to maintain: what is registered is tried, and what refuses must say why.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_run import Machine, TinyData, tiny_config, train

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.drawing import DrawSettings, draw
from stylegenes.errors import UserError
from stylegenes.metrics.equivariance import translation_trial
from stylegenes.metrics.features import FeaturePass
from stylegenes.metrics.sources import GeneratorSource
from stylegenes.perception.classifiers import CalibratedClassifier
from stylegenes.perception.lite0 import Lite0Features
from stylegenes.perception.resize import to_rgb
from stylegenes.pictures import encode, grid, save_picture, to_pil
from stylegenes.records import ImageBatch, Noise
from stylegenes.registry import Registry
from stylegenes.size import Size
from stylegenes.snapshot import load_snapshot
from stylegenes.synthesis import SYNTHESES
from stylegenes.synthesis.fastgan import averages
from stylegenes.training.config import ModelConfig
from stylegenes.training.resolve import complete_config
from stylegenes.training.state import STATE_FILE, read_state

W_DIM = 4
SHAPES = ["24x16", "16x24", "20x16", "32x16", "16x128", 24, "32x18"]
SQUARE_ONLY = {"eg3d", "dual"}
COLORS_ONLY = {"projected"}


def spec_of(registry: Registry, name: str, resolution: int | str, channels: int) -> dict:
    given = (resolution, W_DIM) if registry is SYNTHESES else (resolution,)
    return {"name": name, "image_channels": channels, **registry.get(name).example_spec(*given)}


def pairs() -> list:
    """Every network with every shape, channels from 1 to 6 going around."""
    names = [(SYNTHESES, name) for name in SYNTHESES.names()] + [
        (DISCRIMINATORS, name) for name in DISCRIMINATORS.names()
    ]
    every = itertools.product(names, SHAPES)
    return [(registry, name, shape, 1 + i % 6) for i, ((registry, name), shape) in enumerate(every)]


@pytest.mark.parametrize(("registry", "name", "shape", "channels"), pairs())
def test_every_network_makes_or_judges_every_shape_or_says_why_not(registry, name, shape, channels):
    if name in SQUARE_ONLY and not Size.of(shape).square:
        with pytest.raises(UserError, match=f"one angle of view.* square; got {shape}: set data.resolution="):
            registry.build(spec_of(registry, name, shape, channels))
        return
    if name in COLORS_ONLY and channels not in (1, 3):
        with pytest.raises(UserError, match=r"projected judges .*1 or 3 channels.* unjudged"):
            registry.build(spec_of(registry, name, shape, channels))
        return
    torch.manual_seed(0)
    built = registry.build(spec_of(registry, name, shape, min(channels, 4) if name == "eg3d" else channels))
    picture = (2, built.image_channels, *Size.of(shape).hw)
    if registry is SYNTHESES:
        ws = torch.randn(2, built.num_ws, W_DIM, requires_grad=True)
        image = built(ws, built.seen(None, 2), noise=Noise("const")).image
        assert image.shape == picture and built.layer_resolutions[-1] <= built.size.longer
        (slope,) = torch.autograd.grad(image.square().sum(), ws)
    else:
        image = torch.randn(picture, requires_grad=True)
        logits = built(built.prepare(ImageBatch(image)))
        assert logits.shape[0] == 2
        (slope,) = torch.autograd.grad(logits.sum(), image)
    assert torch.isfinite(slope).all() and slope.abs().sum() > 0


FAMILIES = [("stylegan1", "progan"), ("stylegan2", "stylegan2"), ("stylegan3", "stylegan2"), ("progan", "progan"),
            ("fastgan", "projected"), ("r3gan", "r3gan")]  # fmt: skip
RUNS = [(families, shape, channels) for families, shape, channels in zip(
    FAMILIES, ["24x16", "16x24", "20x16", "32x16", "16x32", "24x16"], [2, 4, 5, 1, 1, 6], strict=True
)]  # fmt: skip


@pytest.mark.parametrize(("family", "shape", "channels"), RUNS, ids=lambda value: str(value))
def test_every_family_trains_resumes_and_is_used(tmp_path, family, shape, channels):
    data = TinyData(12, resolution=shape, channels=channels)

    def run(folder, steps):
        config = tiny_config("regularizers.r1.interval=1", "regularizers.path_length.interval=2", "batch.total=4")
        grows = {"name": "progressive", "start": 8, "hold_kimg": 0.0, "fade_kimg": 0.016}
        config = replace(
            config,
            model=ModelConfig(
                {"name": "genome", "w_dim": W_DIM, "num_genes": 4, "num_variants": 4},
                spec_of(SYNTHESES, family[0], shape, channels),
                spec_of(DISCRIMINATORS, family[1], shape, channels),
            ),
            augment=replace(config.augment, p={"name": "fixed", "value": 0.8}),
            data=replace(config.data, resolution=shape, channels=channels),
            growth=grows if family in (("stylegan1", "progan"), ("progan", "progan")) else None,
            kimg=4 * steps / 1000,
        )
        train(config, folder, data=data, machine=Machine("cpu"), quiet=True)

    run(tmp_path / "whole", 2)
    for steps in (1, 2):
        run(tmp_path / "parts", steps)
    whole, parts = (read_state(tmp_path / name / STATE_FILE).tensors for name in ("whole", "parts"))
    assert [key for key in whole if not torch.equal(whole[key], parts[key])] == []
    snapshot = load_snapshot(tmp_path / "parts")
    assert snapshot.card.data is not None and snapshot.card.data.resolution == shape
    G = snapshot.generator
    code = G.sample(3, torch.Generator().manual_seed(0))
    pictures = list(draw(G, code, DrawSettings()))
    assert {one.shape for one in pictures} == {(*Size.of(shape).hw, channels)}
    assert not np.array_equal(pictures[0], pictures[1])
    for suffix in (".png", ".webp"):
        save_picture(tmp_path / f"sheet{suffix}", grid(pictures, captions=["a", "b", "c"], scale=2))
    judge = Lite0Features(pretrained=False).eval().requires_grad_(False)
    features = FeaturePass(GeneratorSource(G, 8, 0), judge).run()
    assert np.isfinite(features.all.moments.gaussian().mean).all()


def test_what_judges_and_sheets_show_of_channels():
    gray, alpha = torch.tensor([-1.0, 0.0, 0.6, 1.0]), torch.tensor([1.0, 0.0, -1.0, 1.0])
    batch = torch.stack([gray, alpha])[None, :, None]
    on_white = torch.tensor([-1.0, 0.5, 1.0, 1.0])
    assert torch.allclose(to_rgb(batch), on_white.expand(1, 3, 1, 4))
    rgba = torch.cat([batch[:, :1].expand(-1, 3, -1, -1), batch[:, 1:]], dim=1)
    assert torch.allclose(to_rgb(rgba), to_rgb(batch))
    many = torch.rand(2, 6, 3, 5)
    assert torch.equal(to_rgb(many), many[:, :3]) and torch.equal(to_rgb(many[:, :3]), many[:, :3])
    assert torch.equal(to_rgb(many[:, :1]), many[:, :1].expand(-1, 3, -1, -1))
    for channels, mode in {1: "L", 2: "LA", 3: "RGB", 4: "RGBA", 5: "RGB", 6: "RGB"}.items():
        picture = np.random.default_rng(0).integers(256, size=(4, 6, channels), dtype=np.uint8)
        shown = np.asarray(to_pil(picture)).reshape(4, 6, -1)
        assert to_pil(picture).mode == mode and np.array_equal(shown, picture[:, :, :3] if channels > 4 else picture)
        assert encode(grid([picture] * 3, captions=["a", "b", ""]))


def test_a_judge_sees_a_transparent_file_as_data_would_read_it(tmp_path):
    from stylegenes.data.decode import View, decode

    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(256, size=(16, 24, 4), dtype=np.uint8)).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    kept, white = (torch.from_numpy(decode(data, View("24x16", channels=c)).astype(np.float32)) for c in (4, 3))
    assert kept[3].min() < 3
    seen = to_rgb(kept[None] / 127.5 - 1)[0] * 127.5 + 127.5
    assert (seen - white).abs().max() <= 1


def test_networks_follow_the_data_and_nothing_else():
    config = tiny_config("data.resolution=24x16", "data.channels=4")
    assert config.data.resolution == "24x16"
    complete = complete_config(config, TinyData(resolution="24x16", channels=4), warn=False)
    assert complete.model.synthesis["resolution"] == complete.model.discriminator["resolution"] == "24x16"
    assert tiny_config("data.resolution=32X32").data.resolution == 32
    assert tiny_config("model.synthesis.resolution=24x16").data.resolution == "24x16"
    for wrong in ("24x", "0x0", "x", "-1x4", "70000x4"):
        with pytest.raises(UserError, match=r"data.resolution.*(is no size|must be from)"):
            tiny_config(f"data.resolution={wrong}")
    with pytest.raises(UserError, match=r"data\.channels=65 is not"):
        tiny_config("data.channels=65")


@pytest.mark.parametrize("shape", ["48x32", "32x64"])
def test_stylegan3_moves_a_wide_picture_by_whole_pixels(shape):
    spec = {"name": "stylegan3", "resolution": shape, "w_dim": W_DIM, "channel_base": 256, "channel_max": 8}
    torch.manual_seed(0)
    G = SYNTHESES.build({**spec, "num_layers": 6}).eval().double()
    ws = torch.randn(1, G.num_ws, W_DIM, dtype=torch.float64)

    def render(transform: torch.Tensor) -> torch.Tensor:
        with G.placed(transform), torch.no_grad():
            return G(ws).image

    trials = [translation_trial(render, torch.Generator().manual_seed(seed)).decibels for seed in range(2)]
    assert min(trials) > 50, "units of one side taken for the other's give some 20 decibels"


@pytest.mark.parametrize(("shape", "channels"), [("24x16", 4), ("16x24", 2), ("24x16", 6), (16, 1)])
def test_classifiers_take_pictures_of_every_shape_and_channels(shape, channels):
    judge = CalibratedClassifier({"name": "multihead", "width": 4}, ["Striped"], resolution=shape).eval()
    pictures = torch.rand(3, channels, 32, 48) * 2 - 1
    seen = judge(pictures)
    assert seen.shape == (3, 1) and torch.equal(seen, judge(to_rgb(pictures)))


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6, 7, 8, 11, 16])
def test_a_gate_averages_as_adaptive_pooling_does(length):
    small = torch.randn(2, 3, length, 5, dtype=torch.float64)
    rows, columns = averages(length).double(), averages(5).double()
    assert torch.allclose(rows @ small @ columns.T, torch.nn.functional.adaptive_avg_pool2d(small, 4), atol=1e-6)
