"""`stylegenes import`: every family that can be read is told by its weights and gives the same pictures."""

import pickle

import pytest
import torch
from official_pickles import EasyDict, Plain, Wrapped, projected_discriminator, tree
from parity import Fixture, fixtures

from stylegenes.cli.main import run
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop import fastgan, r3gan, stylegan2, stylegan3
from stylegenes.interop.official import discriminator_of, generator_of, import_weights
from stylegenes.interop.records import Record
from stylegenes.records import Noise
from stylegenes.snapshot import load_snapshot

STYLE = {
    "z_dim": 8,
    "c_dim": 0,
    "w_dim": 8,
    "img_resolution": 16,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 2},
}
STAGES = {"CardinalityPerStage": [2, 4], "BlocksPerStage": [1, 2], "ExpansionFactor": 2}
R3 = {"WidthPerStage": [8, 12], "NoiseDimension": 6, **STAGES}


def official(generator: Generator, names: dict[str, str]) -> dict[str, torch.Tensor]:
    return {foreign: generator.state_dict()[ours].clone() for ours, foreign in names.items()}


def stylegan2_pickle() -> tuple[Generator, object]:
    kwargs = {**STYLE, "channel_base": 64, "channel_max": 8}
    G = Generator.from_spec(stylegan2.generator_spec(kwargs))
    return G, tree(official(G, stylegan2.generator_names(G)), {"_init_args": (), "_init_kwargs": EasyDict(kwargs)})


def stylegan3_pickle() -> tuple[Generator, object]:
    kwargs = {
        **STYLE,
        "channel_base": 64,
        "channel_max": 8,
        "num_layers": 4,
        "conv_kernel": 1,
        "use_radial_filters": True,
    }
    G = Generator.from_spec(stylegan3.generator_spec(kwargs))
    layers = {f"synthesis.L{i}_1_1.weight": torch.empty(0) for i in range(5)}
    return G, tree(
        official(G, stylegan3.generator_names(G, layers)), {"_init_args": (), "_init_kwargs": EasyDict(kwargs)}
    )


def fastgan_pickle(kind: type = Plain) -> tuple[Generator, object]:
    kwargs = {"img_resolution": 32, "z_dim": 8, "ngf": 2}
    G = Generator.from_spec(fastgan.generator_spec(kwargs))
    return G, tree(official(G, fastgan.generator_names(G, {})), {"img_resolution": 32, "z_dim": 8}, kind)


def r3gan_pickle(kind: type = Plain) -> tuple[Generator, object]:
    G = Generator.from_spec(r3gan.generator_spec(R3))
    state = official(G, r3gan.generator_names(G))
    return G, tree({f"Model.{key}": tensor for key, tensor in state.items()}, kind=kind)


PICKLES = {
    "stylegan2": stylegan2_pickle,
    "stylegan3": stylegan3_pickle,
    "fastgan": fastgan_pickle,
    "r3gan": r3gan_pickle,
}


@pytest.mark.parametrize("family", PICKLES)
def test_every_family_gives_the_same_pictures(family, official_names, tmp_path, capsys):
    ours, module = PICKLES[family]()
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"G_ema": module, "dtype": torch.bfloat16}))
    assert run(["import", str(tmp_path / "net.pkl"), str(tmp_path / "out")]) == 0
    assert family in capsys.readouterr().out
    theirs = load_snapshot(tmp_path / "out").generator
    code = ours.eval().sample(2, generator=torch.Generator().manual_seed(0))
    assert theirs.spec == ours.spec
    assert torch.equal(ours(code, noise=Noise("const")).image, theirs(code, noise=Noise("const")).image)


def test_what_layers_say_fills_in_what_the_arguments_leave_out(official_names, tmp_path):
    """Releases differ in their defaults; the pickled layers hold the values that they ran with."""
    kwargs = {**STYLE, "channel_base": 64, "channel_max": 8}
    G = Generator.from_spec(stylegan2.generator_spec(kwargs))
    module = tree(official(G, stylegan2.generator_names(G)), {"_init_kwargs": EasyDict(kwargs)})
    module.state["_modules"]["mapping"].state["w_avg_beta"] = 0.995
    module.state["_modules"]["synthesis"].state["_modules"]["b4"].state["_modules"]["conv1"].state["conv_clamp"] = 64
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"G_ema": module}))
    spec = import_weights(tmp_path / "net.pkl").generator.spec
    assert spec["latent"]["w_avg_beta"] == 0.995 and spec["synthesis"]["conv_clamp"] == 64


def test_the_discriminator_comes_along(official_names, tmp_path):
    _, G = r3gan_pickle(Wrapped)
    kwargs = {"WidthPerStage": [12, 8], **{k: v[::-1] if isinstance(v, list) else v for k, v in STAGES.items()}}
    D = DISCRIMINATORS.build(r3gan.discriminator_spec(kwargs))
    state = {f"Model.{foreign}": D.state_dict()[ours] for ours, foreign in r3gan.discriminator_names(D).items()}
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"G_ema": G, "D": tree(state)}))
    assert run(["import", str(tmp_path / "net.pkl"), str(tmp_path / "out"), "--discriminator"]) == 0
    found = load_snapshot(tmp_path / "out").discriminator
    assert found is not None and found.spec == D.spec
    assert all(torch.equal(tensor, found.state_dict()[key]) for key, tensor in D.state_dict().items())


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_projected_gan_as_its_training_writes_it(protocol, foreign_classes, tmp_path, capsys):
    """The file holds the discriminator too, and with it the classes of the packages that its trunk comes from."""
    ours, G = fastgan_pickle()
    content = {
        "G": G,
        "D": projected_discriminator(foreign_classes),
        "G_ema": G,
        "training_set_kwargs": EasyDict(class_name="training.dataset.ImageFolderDataset", path="x.zip"),
    }
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(content, protocol=protocol))
    assert b"Conv2dSame" in (tmp_path / "net.pkl").read_bytes()
    assert b"torch.ao.nn.quantized" in (tmp_path / "net.pkl").read_bytes()
    assert run(["import", str(tmp_path / "net.pkl"), str(tmp_path / "out")]) == 0
    theirs = load_snapshot(tmp_path / "out").generator.state_dict()
    assert all(torch.equal(tensor, theirs[key]) for key, tensor in ours.state_dict().items())
    assert run(["import", str(tmp_path / "net.pkl"), str(tmp_path / "both"), "--discriminator"]) == 1
    assert "without --discriminator" in capsys.readouterr().err


def module_of(state: dict[str, torch.Tensor]) -> Record:
    return Record("Some.Network", {"_parameters": state})


def test_an_unknown_family_is_an_error_that_lists_the_known_ones(official_names, tmp_path, capsys):
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"G_ema": tree({"style.1.weight": torch.ones(2)})}))
    assert run(["import", str(tmp_path / "net.pkl"), str(tmp_path / "out")]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "StyleGAN2, StyleGAN3 (T and R), FastGAN (ProjectedGAN), R3GAN" in said and "style.1.weight" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("convert", "state", "message"),
    [
        (generator_of, {}, "Its first weights: none"),
        (discriminator_of, {"discriminator.mini_discs.0.x": torch.ones(1)}, "without --discriminator"),
        (generator_of, {"synthesis.init.init.0.weight_orig": torch.ones(1)}, "does not tell its img_resolution"),
        (generator_of, {"AggregationLayer.Layer.weight": torch.ones(1)}, "no residual blocks"),
        (generator_of, {"synthesis.b4.const": torch.ones(1)}, "arguments lack z_dim"),
    ],
)
def test_refusals(convert, state, message):
    with pytest.raises(UserError, match=message):
        convert(module_of(state))


@pytest.mark.parametrize("folder", fixtures("r3gan"))
def test_arguments_of_r3gan_are_read_from_the_weights(folder):
    fixture = Fixture(folder)
    assert r3gan.arguments_of(fixture.state("G")) == fixture.kwargs("G")
    assert r3gan.arguments_of(fixture.state("D")) == fixture.kwargs("D")


@pytest.mark.parametrize("folder", fixtures("fastgan_generator"))
def test_arguments_of_fastgan_are_read_from_the_weights(folder):
    fixture = Fixture(folder)
    kwargs = fixture.kwargs()
    found = fastgan.arguments_of(fixture.state(), kwargs["img_resolution"])
    assert fastgan.generator_spec(found) == fastgan.generator_spec(kwargs)
