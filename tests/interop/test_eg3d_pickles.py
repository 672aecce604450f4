"""Whole pickles of the official EG3D, generator and discriminator, as its training writes them."""

import math
import pickle

import pytest
import torch
from official_pickles import EasyDict, tree

from stylegenes.cameras import fov_of, orbit
from stylegenes.cli.main import run
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop import eg3d
from stylegenes.interop.official import import_weights
from stylegenes.ops.fir import setup_filter
from stylegenes.records import Condition, ImageBatch, Noise
from stylegenes.snapshot import load_snapshot

OPTIONS = {
    "depth_resolution": 6,
    "depth_resolution_importance": 6,
    "ray_start": 2.25,
    "ray_end": 3.3,
    "box_warp": 1,
    "avg_camera_radius": 2.7,
    "avg_camera_pivot": [0, 0, 0.2],
    "superresolution_noise_mode": "none",
    "superresolution_module": "training.superresolution.SuperresolutionHybrid2X",
    "image_resolution": 128,
    "disparity_space_sampling": False,
    "clamp_mode": "softplus",
    "c_gen_conditioning_zero": False,
    "c_scale": 1,
    "gpc_reg_prob": 0.5,
    "density_reg": 0.25,
    "density_reg_p_dist": 0.004,
    "reg_type": "l1",
    "decoder_lr_mul": 1.0,
    "sr_antialias": True,
}
KWARGS = {
    "z_dim": 8,
    "c_dim": 25,
    "w_dim": 512,
    "img_resolution": 128,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 2},
    "channel_base": 64,
    "channel_max": 8,
    "num_fp16_res": 0,
    "sr_num_fp16_res": 4,
    "conv_clamp": None,
    "fused_modconv_default": "inference_only",
    "sr_kwargs": EasyDict(channel_base=64, channel_max=8, fused_modconv_default="inference_only"),
}
SIZES = eg3d.Sizes(resolution=16, channels=4, width=8, features=5)


def official_generator(options: dict, **kwargs) -> tuple[Generator, object]:
    """A generator of ours, and the same weights as the official code pickles them."""
    torch.manual_seed(0)
    given = {**KWARGS, **kwargs}
    G = Generator.from_spec(eg3d.generator_spec(given, options, SIZES)).eval()
    for name, parameter in G.named_parameters():
        if "noise_strength" in name or name.endswith("bias"):
            torch.nn.init.normal_(parameter, std=0.3)
    names = eg3d.generator_names(G)
    own = ("rendering", "views")
    state = {foreign: G.state_dict()[ours].clone() for ours, foreign in names.items() if foreign not in own}
    state |= {f"{layer}.resample_filter": setup_filter((1, 3, 3, 1)) for layer in ("superresolution", "backbone.b4")}
    outer = {"rendering_kwargs": options, "neural_rendering_resolution": 32, "_last_planes": None}
    # The published module keeps the axes of its planes as a bare tensor.
    made = {"_init_args": (), "_init_kwargs": EasyDict(given, rendering_kwargs=EasyDict(OPTIONS)), **outer}
    return G, tree(state, made)


def written(tmp_path, **networks):
    path = tmp_path / "network-snapshot-000000.pkl"
    path.write_bytes(pickle.dumps({**networks, "augment_pipe": None, "training_set_kwargs": EasyDict(use_labels=True)}))
    return path


def test_generator_and_discriminator_come_whole(official_names, tmp_path, capsys):
    G, module = official_generator(OPTIONS)
    D, judge = dual()
    path = written(tmp_path, G=module, D=judge, G_ema=module)
    assert run(["import", str(path), str(tmp_path / "out"), "--discriminator"]) == 0
    assert "eg3d, 128 pixels" in capsys.readouterr().out
    found = load_snapshot(tmp_path / "out")
    theirs = found.generator
    assert theirs.synthesis.rendering == 32 and theirs.spec == G.spec
    G.synthesis.render_at(32)
    code = G.sample(1, torch.Generator().manual_seed(0))
    told = Condition(camera=orbit(torch.tensor([40.0]), torch.tensor([10.0]), radius=2.7, fov=13.37))
    ours, again = (network(code, told, noise=Noise("const")) for network in (G, theirs))
    assert torch.equal(ours.image, again.image) and torch.equal(ours.raw, again.raw)
    batch = ImageBatch(ours.image, raw=ours.raw, condition=told)
    assert torch.equal(D(batch), found.discriminator(batch))


def dual() -> tuple[torch.nn.Module, object]:
    kwargs = {"c_dim": 25, "img_resolution": 128, "img_channels": 3, "channel_base": 256, "channel_max": 8}
    kwargs |= {"num_fp16_res": 4, "conv_clamp": 256, "disc_c_noise": 0.5, "mapping_kwargs": {"num_layers": 2}}
    spec = {"name": "dual", "resolution": 128, "camera": True, "channel_base": 256, "channel_max": 8}
    D = DISCRIMINATORS.build({**spec, "conv_clamp": 256.0, "label_depth": 2}).eval()
    names = {o: f for o, f in eg3d._discriminator_names(D).items() if f != "rendering"}
    state = {foreign: D.state_dict()[ours] for ours, foreign in names.items()}
    state["resample_filter"] = setup_filter((1, 3, 3, 1))
    return D, tree(state, {"_init_args": (), "_init_kwargs": EasyDict(kwargs)})


@pytest.mark.parametrize(
    ("changes", "differ"),
    [({}, True), ({"c_scale": 0}, False), ({"c_gen_conditioning_zero": True}, False), ({"c_scale": None}, False)],
)
def test_pose_conditioning_as_the_options_say(changes, differ, official_names, tmp_path):
    options = {key: value for key, value in {**OPTIONS, **changes}.items() if value is not None}
    _, module = official_generator(options)
    G = import_weights(written(tmp_path, G_ema=module)).generator
    code = G.sample(1, torch.Generator().manual_seed(0)).expand(2, -1)
    cameras = orbit(torch.tensor([0.0, 90]), torch.zeros(2), radius=2.7, fov=13.37)
    first, second = G.latent(code, Condition(camera=cameras))
    assert torch.equal(first, second) != differ


def test_a_latent_that_knows_no_camera(official_names, tmp_path):
    _, module = official_generator(OPTIONS, c_dim=0)
    G = import_weights(written(tmp_path, G_ema=module)).generator
    assert not G.latent.reads_camera and G.latent.embed is None


@pytest.mark.parametrize(
    ("module", "resolution", "entry", "channels"),
    [
        ("2X", 128, 64, (128, 64)),
        ("4X", 256, 128, (128, 64)),
        ("8X", 512, 128, (128, 64)),
        ("8XDC", 512, 128, (256, 128)),
    ],
)
def test_every_super_resolution(module, resolution, entry, channels):
    options = {**OPTIONS, "superresolution_module": f"training.superresolution.SuperresolutionHybrid{module}"}
    spec = eg3d.generator_spec({**KWARGS, "img_resolution": resolution}, options, SIZES)["synthesis"]
    assert (spec["super_input"], tuple(spec["super_channels"])) == (entry, channels)
    assert spec["super_clamp"] == 256 and spec["conv_clamp"] is None
    with torch.device("meta"):
        built = Generator.from_spec(eg3d.generator_spec({**KWARGS, "img_resolution": resolution}, options, SIZES))
    assert built.synthesis.resolution == resolution


def test_what_the_options_say_is_kept():
    cars = {"ray_start": 0.1, "ray_end": 2.6, "box_warp": 1.6, "white_back": True, "avg_camera_radius": 1.7}
    options = {**OPTIONS, **cars, "avg_camera_pivot": [0, 0, 0], "disparity_space_sampling": True}
    spec = eg3d.generator_spec(KWARGS, options, SIZES)["synthesis"]
    kept = {name: spec[name] for name in ("near", "far", "box", "white", "disparity", "radius", "third_plane")}
    assert list(kept.values()) == [0.1, 2.6, 1.6, True, True, 1.7, "zx"]
    # The published cars have a focal length of 1.7074 picture widths.
    assert spec["fov"] == pytest.approx(2 * math.degrees(math.atan(0.5 / 1.7074)), abs=1)
    faces = eg3d.generator_spec(KWARGS, {**OPTIONS, "ray_start": "auto", "ray_end": "auto"}, SIZES)["synthesis"]
    assert faces["near"] is None and faces["far"] is None and faces["super_noise"] is False
    assert faces["fov"] == pytest.approx(13.37, abs=0.1)


@torch.no_grad()
def test_even_samples_show_what_the_published_random_ones_show_on_average(official_names, tmp_path):
    options = {**OPTIONS, "depth_resolution": 48, "depth_resolution_importance": 48}
    G, _ = official_generator(options)
    torch.nn.init.normal_(G.synthesis.decoder.out.weight)
    spec = {**G.spec["synthesis"], "official": True, "third_plane": "zy"}
    published = Generator.from_spec({**G.spec, "synthesis": spec}).eval()
    published.load_state_dict(G.state_dict())
    ws, view = G.express(G.sample(1, torch.Generator().manual_seed(3))), Condition(camera=G.synthesis.views[:1])
    ours = G.synthesis(ws, view, noise=Noise("const")).raw
    draws = [
        published.synthesis(ws, view, noise=Noise("const", torch.Generator().manual_seed(i))).raw for i in range(8)
    ]
    mean = torch.stack(draws).mean(dim=0)
    assert not torch.equal(draws[0], draws[1])
    # Published samples reach past the far end, so that where all is translucent a little more is seen.
    assert ((ours - mean).abs() < 0.04 * (mean + 1)).all() and (ours - mean).std() < 0.05 * mean.std()
    assert fov_of(view.camera).item() == pytest.approx(13.3, abs=0.2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"superresolution_module": "training.superresolution.Strange"}, "Strange is not known"),
        ({"clamp_mode": "relu"}, "clamp_mode 'relu' is not known"),
        ({"box_warp": None}, "lack box_warp"),
        ({"ray_start": object}, "ray_start is a"),
        ({"depth_resolution": 10**9}, "depth_resolution is"),
    ],
)
def test_options_that_cannot_be(changes, message, official_names, tmp_path):
    _, module = official_generator(OPTIONS)
    options = {key: value for key, value in {**OPTIONS, **changes}.items() if value is not None}
    module.state["rendering_kwargs"] = options
    with pytest.raises(UserError, match=message):
        import_weights(written(tmp_path, G_ema=module))


def test_arguments_that_cannot_be(official_names, tmp_path):
    for kwargs, message in (({"c_dim": 7}, "c_dim is 7"), ({"architecture": "orig"}, "architecture is 'orig'")):
        _, module = official_generator(OPTIONS)
        module.state["_init_kwargs"] |= kwargs
        with pytest.raises(UserError, match=message):
            import_weights(written(tmp_path, G_ema=module))
    _, module = official_generator(OPTIONS)
    module.state["neural_rendering_resolution"] = 0
    with pytest.raises(UserError, match="renders at 0 pixels"):
        import_weights(written(tmp_path, G_ema=module))
