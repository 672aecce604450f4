"""The parity tests on recordings of other kinds than those at hand: labels, strides, filters, sizes, batches.

Our own networks play the official ones here, so this says nothing about agreement; it says that the tests read what
they need from a folder, and that they fail when its numbers are wrong.
"""

import json

import numpy as np
import pytest
import torch
from interop import test_fastgan_parity, test_stylegan2_parity, test_stylegan3_parity
from parity import Fixture
from safetensors.torch import save_file

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.generator import Generator
from stylegenes.interop import fastgan, stylegan2, stylegan3
from stylegenes.ops.fir import setup_filter
from stylegenes.records import Condition, ImageBatch, Noise


class Recording:
    """Arrays on the way into a folder of the recorded layout."""

    def __init__(self, rng, kwargs, state):
        self.rng, self.kwargs = rng, kwargs
        self.state = {key: tensor.detach().float().contiguous() for key, tensor in state.items()}
        self.arrays, self.meta = {}, {}

    def given(self, name, *shape):
        """An input of random numbers."""
        drawn = torch.randn(*shape, generator=self.rng)
        self.arrays[name], self.meta[name] = drawn.numpy(), {"kind": "input", "shape": list(shape)}
        return drawn.double()

    def label(self, n, dim, name="c"):
        self.given(name, n, dim)
        chosen = torch.eye(dim)[torch.arange(n) % dim]
        self.arrays[name] = chosen.numpy()
        return Condition(label=chosen.double())

    def made(self, name, value, doc="", view=()):
        """An output, of which `view` is kept."""
        value = value.detach()[view].clone()
        rms = value.square().mean().sqrt().item()
        self.arrays[name], self.arrays[f"{name}__f64"] = value.float().numpy(), value.numpy()
        self.meta[name] = {"kind": "output", "shape": list(value.shape), "rms": rms, "f32_vs_f64_max_abs": 5e-5 * rms}
        self.meta[name] |= {"doc": doc} if doc else {}

    def write(self, folder, **config):
        folder.mkdir(parents=True)
        modules = {"model": {"official_class": "X", "kwargs": self.kwargs, "weight_prefix": ""}}
        (folder / "config.json").write_text(json.dumps({"modules": modules, "arrays": self.meta, **config}))
        np.savez(folder / "io.npz", **self.arrays)
        save_file(self.state, folder / "weights.safetensors")
        return folder


def randomized(module, rng):
    """The module with random numbers in its zeros too, through float32 and in float64."""
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and (tensor == 0).all():
            tensor.copy_(torch.randn(tensor.shape, generator=rng) * 0.3)
        if name.endswith("running_var"):
            tensor.fill_(1.5)
    return module.float().double()


def official(module, names):
    return {foreign: module.state_dict()[ours] for ours, foreign in names.items()}


def psi_of(G, z, condition, psi, cutoff=None):
    return G.express(z, condition, psi=psi, cutoff=cutoff)


def stylegan3_recording(folder, rng):
    sizes = {"z_dim": 5, "c_dim": 3, "w_dim": 7, "img_resolution": 16, "img_channels": 1}
    kwargs = {**sizes, "mapping_kwargs": {"num_layers": 3}, "channel_base": 64, "channel_max": 6, "num_layers": 5}
    G = randomized(Generator.from_spec(stylegan3.generator_spec(kwargs)), rng).eval()
    layers = {f"synthesis.L{i}_{8 + i}_{i}.weight": torch.empty(0) for i in range(6)}
    R = Recording(rng, kwargs, official(G, stylegan3.generator_names(G, layers)))
    z, condition = R.given("z", 4, 5), R.label(4, 3)
    ws = psi_of(G, z, condition, 1.0)
    R.made("ws_psi1", ws, "mapping, layer 2 only", (slice(None), 2))
    R.made("ws_psi07_cut", psi_of(G, z, condition, 0.4, 2), "psi 0.4, cutoff 2")
    outputs = []
    hooks = [
        m.register_forward_hook(lambda _, __, x: outputs.append(x)) for m in (G.synthesis.input, *G.synthesis.layers)
    ]
    R.made("img", G.synthesis(ws).image, "strided view [:, :, ::2, 1::2]", np.s_[:, :, ::2, 1::2])
    R.made("x_input", outputs[0], "SynthesisInput output, sample 1, 2 channels", np.s_[1:2, :2])
    R.made("x_L3", outputs[4], "output of layer 3, sample 0, 2 channels", np.s_[:1, :2])
    R.made("layer_rms", torch.stack([x.square().mean().sqrt() for x in outputs[1:]]))
    for hook in hooks:
        hook.remove()
    R.made("img_ws_mixed", G.synthesis(R.given("ws_mixed", 2, G.synthesis.num_ws, 7)).image)
    turned = R.given("transform", 3, 3)
    before = G.synthesis.input.transform.clone()
    G.synthesis.input.transform.copy_(turned)
    R.made("img_transformed", G.synthesis(ws).image)
    G.synthesis.input.transform.copy_(before)
    kept = G.latent.w_avg.clone()
    G.latent.track(ws[:, 0])
    R.made("w_avg_after", G.latent.w_avg)
    G.latent.w_avg.copy_(kept)

    def move(layer, arguments):
        layer.observe(arguments[0])
        layer.settle(layer.magnitude)

    hooks = [layer.register_forward_pre_hook(move) for layer in G.synthesis.layers]
    R.made("img_update_emas", G.synthesis(ws).image, "sample 0", np.s_[:1])
    for hook in hooks:
        hook.remove()
    R.made("magnitude_ema_after", torch.stack([layer.magnitude_ema for layer in G.synthesis.layers]))
    leaf = ws[:2].detach().requires_grad_()
    score = (G.synthesis(leaf).image * R.given("gy", 2, 1, 16, 16)).sum()
    R.made("grad_ws", torch.autograd.grad(score, leaf)[0], "d sum(img*gy)/d ws")
    return R.write(folder / "sg3_t_generator_labels")


def fastgan_recording(folder, rng):
    kwargs = {"z_dim": 6, "img_resolution": 256, "ngf": 1, "img_channels": 4, "synthesis_kwargs": {"lite": False}}
    G = randomized(Generator.from_spec(fastgan.generator_spec(kwargs)), rng)
    names = fastgan.generator_names(G, {})
    R = Recording(rng, kwargs, official(G, names))
    z = R.given("z", 3, 6).requires_grad_()
    layers = [module for module in G.modules() if hasattr(module, "noise_const")]
    for k, layer in enumerate(layers):
        layer.noise_const = R.given(f"noise_{k}", 3, 1, *layer.noise_const.shape[-2:])
    before, after = test_fastgan_parity.record_maps(G)
    image = G.eval()(z, Condition(), noise=Noise("const")).image
    R.made("img_eval", image, "strided view [:, :, 1::4, ::4] of the image", np.s_[:, :, 1::4, ::4])
    R.made("feat_4", before[4], "eval mode, sample 0, first 3 channels", np.s_[:1, :3])
    R.made("feat_256_after_se", after[256], "eval mode, sample 1, first 8 channels", np.s_[1:2, :8])
    cotangent = torch.nn.functional.interpolate(R.given("gy", 3, 4, 8, 8), size=256)
    R.made("grad_z", torch.autograd.grad((image * cotangent).sum(), z)[0])
    image = G.train()(z, Condition(), noise=Noise("const")).image
    R.made("img_train", image, "strided view [:, :, ::4, 1::8]", np.s_[:, :, ::4, 1::8])
    moved = official(G, names)
    for key in ("synthesis.init.init.0.weight_u", "synthesis.feat_256.5.weight_u"):
        R.made(f"after_u_{int('256' in key)}", moved[key], f"{key} after the train forward")
    R.made("after_running_mean_0", moved["synthesis.feat_16.3.running_mean"], "synthesis.feat_16.3.running_mean")
    R.made("after_running_var_0", moved["synthesis.feat_16.3.running_var"])
    return R.write(folder / "fastgan_generator_256")


def with_filters(state, taps, resampling):
    """Filters as official layers store them: the given one where it is used, the default elsewhere."""
    owners = {key.rpartition(".")[0] for key in state if ".conv" in key and key.endswith((".weight", ".bias"))}
    owners = {owner.removesuffix(".affine") for owner in owners}
    return {
        f"{owner}.resample_filter": setup_filter(taps if owner.endswith(resampling) else [1, 3, 3, 1])
        for owner in owners
    }


def stylegan2_recording(folder, rng, architecture):
    sizes = {"z_dim": 5, "c_dim": 2, "w_dim": 7, "img_resolution": 16, "img_channels": 1, "conv_clamp": None}
    kwargs = {**sizes, "mapping_kwargs": {"num_layers": 1, "w_avg_beta": 0.9}, "channel_base": 64, "channel_max": 6}
    kwargs |= {"architecture": architecture, "resample_filter": [1, 2, 4], "activation": "relu"}
    G = randomized(Generator.from_spec(stylegan2.generator_spec(kwargs)), rng).eval()
    state = official(G, stylegan2.generator_names(G))
    R = Recording(rng, kwargs, state | with_filters(state, [1, 2, 4], ".conv0"))
    z, condition = R.given("z", 2, 5), R.label(2, 2)
    ws = psi_of(G, z, condition, 1.0)
    R.made("ws_psi1", ws)
    R.made("ws_psi03", psi_of(G, z, condition, 0.3))
    R.made("ws_psi_cut", psi_of(G, z, condition, -0.5, 2), "truncation_psi=-0.5, truncation_cutoff=2")
    cut = G(z, condition, psi=-0.5, cutoff=2, noise=Noise("const")).image
    R.made("img_psi_cut_const", cut, "strided view [:, :, ::2, ::2]", np.s_[:, :, ::2, ::2])
    R.made("img_const", G.synthesis(ws, noise=Noise("const")).image)
    R.made("img_none", G.synthesis(ws, noise=Noise("none")).image)
    R.made("img_ws_mixed_const", G.synthesis(R.given("ws_mixed", 3, *ws.shape[1:]), noise=Noise("const")).image)
    G.latent.track(ws[:, 0])
    R.made("w_avg_after", G.latent.w_avg)
    R.made("ws_psi05_after", psi_of(G, z, condition, 0.5), "psi=0.5 with the updated w_avg")
    return R.write(folder / f"sg2_generator_{architecture}")


def discriminator_recording(folder, rng, architecture):
    kwargs = {"c_dim": 0, "img_resolution": 16, "img_channels": 2, "architecture": architecture}
    kwargs |= {"channel_base": 64, "channel_max": 6, "block_kwargs": {"resample_filter": [1, 2, 1]}}
    kwargs |= {"epilogue_kwargs": {"mbstd_group_size": None, "mbstd_num_channels": 2}}
    D = randomized(DISCRIMINATORS.build(stylegan2.discriminator_spec(kwargs)), rng)
    state = official(D, stylegan2.discriminator_names(D))
    R = Recording(rng, kwargs, state | with_filters(state, [1, 2, 1], ".conv1"))
    image = R.given("img", 3, 2, 16, 16).requires_grad_()
    kept = {}
    D.epilogue.register_forward_hook(lambda _, inputs, __: kept.update(before=inputs[0]))
    D.epilogue.conv.register_forward_hook(lambda _, inputs, __: kept.update(std=inputs[0]))
    logits = D(ImageBatch(image))
    R.made("logits", logits)
    R.made("x_before_epilogue", kept["before"])
    R.made("mbstd_out_stat", kept["std"][:, kept["before"].shape[1] :, 0, 0])
    gradient = torch.autograd.grad(logits.sum(), image, create_graph=True)[0]
    R.made("grad_img", gradient, "strided view [:, :, ::2, ::2]", np.s_[:, :, ::2, ::2])
    penalty = gradient.square().sum(dim=(1, 2, 3))
    R.made("r1_penalty", penalty)
    penalty.mean().backward()
    R.made("r1_param_grad_norms", test_stylegan2_parity.gradient_norms(D, stylegan2.discriminator_names(D)))
    return R.write(folder / f"sg2_discriminator_{architecture}")


STYLEGAN3 = (
    test_stylegan3_parity.test_styles,
    test_stylegan3_parity.test_pictures_and_features,
    test_stylegan3_parity.test_training_forward_and_gradient,
)
FASTGAN = (
    test_fastgan_parity.test_pictures_and_gradients_in_evaluation,
    test_fastgan_parity.test_one_forward_in_training_moves_the_statistics,
)
STYLEGAN2 = (
    test_stylegan2_parity.test_styles,
    lambda *args: test_stylegan2_parity.test_pictures_and_features(*args, pytest.MonkeyPatch()),
)
CASES = {
    "stylegan3": (stylegan3_recording, STYLEGAN3),
    "fastgan": (fastgan_recording, FASTGAN),
    "stylegan2_orig": (lambda *args: stylegan2_recording(*args, "orig"), STYLEGAN2),
    "stylegan2_resnet": (lambda *args: stylegan2_recording(*args, "resnet"), STYLEGAN2),
    "discriminator_skip": (
        lambda *args: discriminator_recording(*args, "skip"),
        (test_stylegan2_parity.test_discriminator,),
    ),
    "discriminator_orig": (
        lambda *args: discriminator_recording(*args, "orig"),
        (test_stylegan2_parity.test_discriminator,),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_number_of_other_kinds_of_recordings_is_read(name, rng, tmp_path, monkeypatch):
    record, tests = CASES[name]
    folder = record(tmp_path, rng)
    read, check = set(), Fixture.check
    monkeypatch.setattr(
        Fixture, "check", lambda self, name, *args, **kwargs: read.add(name) or check(self, name, *args)
    )
    for dtype in (torch.float64, torch.float32):
        for test in tests:
            test(folder, dtype)
    arrays = json.loads((folder / "config.json").read_text())["arrays"]
    assert read == {name for name, meta in arrays.items() if meta["kind"] == "output"}


def test_a_wrong_number_is_found(rng, tmp_path):
    folder = stylegan2_recording(tmp_path, rng, "orig")
    arrays = dict(np.load(folder / "io.npz"))
    for output in (key.removesuffix("__f64") for key in arrays if key.endswith("__f64")):
        np.savez(folder / "io.npz", **{**arrays, f"{output}__f64": arrays[f"{output}__f64"] + 1e-3})
        with pytest.raises(AssertionError, match=f"^{output}: off by"):
            for test in STYLEGAN2:
                test(folder, torch.float64)
