"""A run goes on from a model of fewer pixels: `--init-from` of a smaller resolution."""

from pathlib import Path

import pytest
import torch
from tiny_run import TinyData, tiny_config

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.ops.fir import setup_filter, upsample2d
from stylegenes.records import ImageBatch, Noise
from stylegenes.snapshot import Card, save_snapshot
from stylegenes.synthesis import SYNTHESES
from stylegenes.training import Machine, train
from stylegenes.training.players import start_from


def networks(resolution, name="stylegan2", base=64, **options):
    latent = {"name": "genome", "num_genes": 4, "num_variants": 3, "w_dim": 8}
    small = {"resolution": resolution, "channel_base": base, "channel_max": 8}
    synthesis = {"name": "stylegan2", "w_dim": 8, **small, **options}
    G = Generator.from_spec({"latent": latent, "synthesis": synthesis})
    architecture = {"architecture": options["architecture"]} if options else {}
    return G, DISCRIMINATORS.build({"name": "stylegan2", **small, **architecture})


def keep(folder: Path, G, D) -> str:
    return str(save_snapshot(folder, G, Card(name="small"), discriminator=D))


@pytest.mark.parametrize(("small", "large"), [(8, 16), (8, 32), (16, 32)])
def test_the_larger_picture_is_the_smaller_one_upsampled(tmp_path, small, large):
    torch.manual_seed(0)
    G, D = networks(small)
    path = keep(tmp_path / "small", G, D)
    bigger, _ = networks(large)
    before = {key: value.clone() for key, value in bigger.state_dict().items()}
    _, judge = networks(large)
    start_from(path, bigger, judge)
    code = G.latent.sample(3, torch.Generator().manual_seed(1))
    picture, expected = bigger(code, noise=Noise("none")).image, G(code, noise=Noise("none")).image
    for _ in range((large // small).bit_length() - 1):
        expected = upsample2d(expected, setup_filter((1, 3, 3, 1)))
    assert torch.allclose(picture, expected, atol=1e-5)
    new = f"synthesis.blocks.{len(bigger.synthesis.blocks) - 1}.conv0.weight"
    assert torch.equal(bigger.state_dict()[new], before[new])


@pytest.mark.parametrize("architecture", ["skip", "orig", "resnet"])
def test_the_discriminator_keeps_what_it_knew_below_the_new_resolution(tmp_path, architecture):
    torch.manual_seed(0)
    G, D = networks(8, architecture=architecture)
    path = keep(tmp_path / "small", G, D)
    bigger, judge = networks(32, architecture=architecture)
    start_from(path, bigger, judge)
    assert torch.equal(judge.blocks[2].conv1.weight, D.blocks[0].conv1.weight)
    assert torch.equal(judge.epilogue.fc.weight, D.epilogue.fc.weight)
    assert judge(ImageBatch(image=torch.zeros(2, 3, 32, 32))).isfinite().all()
    if architecture == "skip":
        assert torch.equal(judge.from_rgb[2].weight, D.from_rgb[0].weight)


@pytest.mark.parametrize("architecture", ["skip", "orig", "resnet"])
@pytest.mark.parametrize(("resolution", "base", "most"), [(8, 128, 16), (8, 96, 8), (16, 160, 11)])
def test_more_channels_make_the_same_picture_and_learn(tmp_path, architecture, resolution, base, most):
    torch.manual_seed(0)
    G, D = networks(8, architecture=architecture)
    for name, parameter in G.synthesis.named_parameters():
        if name.endswith(("bias", "noise_strength")):
            torch.nn.init.normal_(parameter)
    path = keep(tmp_path / "narrow", G, D)
    spec = {**G.spec["synthesis"], "resolution": resolution, "channel_base": base, "channel_max": most}
    wide = Generator.from_spec({**G.spec, "synthesis": spec})
    judge = networks(resolution, architecture=architecture)[1]
    start_from(path, wide, judge)
    code = G.latent.sample(3, torch.Generator().manual_seed(1))
    picture, expected = wide(code, noise=Noise("const")).image, G(code, noise=Noise("const")).image
    if resolution == 8:
        assert torch.allclose(picture, expected, atol=1e-5)
    elif architecture == "skip":
        assert torch.allclose(picture, upsample2d(expected, setup_filter((1, 3, 3, 1))), atol=1e-5)
    picture.square().sum().backward()
    new = wide.synthesis.blocks[-1].to_rgb.weight.grad
    assert new is not None and (new.abs().sum(dim=(0, 2, 3)) > 0).all()


def test_fewer_channels_and_other_networks_are_refused(tmp_path):
    path = keep(tmp_path / "wide", *networks(8))
    narrow = Generator.from_spec(
        {**(spec := networks(8)[0].spec), "synthesis": {**spec["synthesis"], "channel_max": 4}}
    )
    with pytest.raises(UserError, match="differs from this run's in channel_max=8"):
        start_from(path, narrow, networks(8)[1])
    kind = SYNTHESES.get("stylegan3")
    with pytest.raises(UserError, match="cannot go on from fewer channels; stylegan2's synthesis can"):
        kind(**kind.example_spec(32, 8)).widened({})


def test_a_smaller_run_refuses_a_larger_model_and_other_networks_refuse_by_name(tmp_path):
    path = keep(tmp_path / "large", *networks(16))
    with pytest.raises(UserError, match="differs from this run's in resolution=16"):
        start_from(path, *networks(8))
    with pytest.raises(UserError, match="differs from this run's in channel_base=64"):
        start_from(keep(tmp_path / "small", *networks(8)), *networks(16, base=128))
    kind = SYNTHESES.get("fastgan")
    synthesis = kind(**kind.example_spec(32, 8))
    with pytest.raises(UserError, match="cannot go on from 16 pixels; stylegan2's networks can"):
        synthesis.enlarged({}, 16)


def test_a_run_goes_on_at_twice_the_resolution(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    train(tiny_config(), first, data=TinyData(), machine=Machine("cpu"), quiet=True)
    sizes = ["data.resolution=16", "model.synthesis.resolution=16", "model.discriminator.resolution=16", "kimg=0.008"]
    larger = tiny_config(f"init_from={first}", *sizes)
    result = train(larger, second, data=TinyData(resolution=16), machine=Machine("cpu"), quiet=True)
    assert result.finished and result.images == 8
