"""Every operation against recorded numbers: forward, gradients and second order, in float64 and float32."""

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.ops.activation import bias_act
from stylegenes.ops.convolution import alias_free_modulated_conv2d, conv2d_resample, modulated_conv2d
from stylegenes.ops.filtered_lrelu import design_lowpass_filter, filtered_lrelu
from stylegenes.ops.fir import downsample2d, filter2d, setup_filter, upfirdn2d, upsample2d

DTYPES = [torch.float64, torch.float32]
HELPERS = {"filter2d": filter2d, "upsample2d": upsample2d, "downsample2d": downsample2d}


def optional(fixture: Fixture, name: str, dtype: torch.dtype) -> torch.Tensor | None:
    return fixture.input(name, dtype).requires_grad_() if fixture.has(name) else None


def without(case: dict, *names: str) -> dict:
    return {key: value for key, value in case.items() if key not in names}


def cases(fixture: Fixture, prefix: str = "") -> dict[str, dict]:
    """The recorded cases whose key is `prefix` and a number, by the part of the array names after the letter."""
    found = fixture.config["cases"]
    if isinstance(found, list):
        found = {str(i): case for i, case in enumerate(found)}
    return {key: case for key, case in found.items() if key.startswith(prefix) and key[len(prefix) :].isdigit()}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("folder", fixtures("ops_bias_act"))
def test_bias_act(folder, dtype):
    fixture = Fixture(folder)
    for key, case in cases(fixture).items():
        x, b, gy = (optional(fixture, f"{name}_{key}", dtype) for name in ("x", "b", "gy"))
        y = bias_act(x, b, **without(case, "nd", "nob"))
        gx = torch.autograd.grad(y, x, gy, create_graph=True)[0]
        fixture.check(f"y_{key}", y)
        fixture.check(f"gx_{key}", gx)
        if b is not None:
            fixture.check(f"gb_{key}", torch.autograd.grad(y, b, gy, retain_graph=True)[0])
        fixture.check(f"ggy_{key}", torch.autograd.grad(gx.square().sum(), gy)[0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("folder", fixtures("ops_upfirdn2d"))
def test_upfirdn2d(folder, dtype):
    fixture = Fixture(folder)
    for key, case in cases(fixture).items():
        x, gy = optional(fixture, f"x_{key}", dtype), fixture.input(f"gy_{key}", dtype)
        f = fixture.input(f"f_{key}", dtype) if fixture.has(f"f_{key}") else None
        y = upfirdn2d(x, f, **without(case, "filter"))
        fixture.check(f"y_{key}", y)
        fixture.check(f"gx_{key}", torch.autograd.grad(y, x, gy)[0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("folder", fixtures("ops_upfirdn2d"))
def test_filters_that_keep_or_change_the_size(folder, dtype):
    fixture = Fixture(folder)
    for key, case in fixture.config["cases"].items():
        if key.startswith("helper_"):
            function = HELPERS[case["function"]]
            x, f = fixture.input(case["x"], dtype), fixture.input(case["f"], dtype)
            fixture.check(case["y"], function(x, f, **without(case, "function", "x", "f", "y")))


@pytest.mark.parametrize("folder", fixtures("ops_upfirdn2d"))
def test_setup_filter(folder):
    fixture = Fixture(folder)
    for key, case in fixture.config["cases"].items():
        if key.startswith("setup_filter_"):
            renamed = {"flip_filter": "flip"}
            kwargs = {renamed.get(name, name): value for name, value in without(case, "f").items()}
            fixture.check(key, setup_filter(case["f"], **kwargs))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("folder", fixtures("ops_conv2d_resample"))
def test_conv2d_resample(folder, dtype):
    fixture = Fixture(folder)
    for key, case in cases(fixture).items():
        x, w, f = (fixture.input(name, dtype) for name in (f"x_{key}", f"w_{key}", "f"))
        fixture.check(f"y_{key}", conv2d_resample(x, w, f, **without(case, "k")))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("folder", fixtures("ops_conv2d_resample"))
def test_modulated_conv2d(folder, dtype):
    fixture = Fixture(folder)
    for key, case in cases(fixture, "m2_").items():
        k = key.removeprefix("m2_")
        x, w, s = (optional(fixture, f"m2_{name}_{k}", dtype) for name in "xws")
        y = modulated_conv2d(
            x,
            w,
            s,
            fixture.input("f", dtype) if case.get("resample") else None,
            noise=fixture.input(f"m2_noise_{k}", dtype) if case.get("noise") else None,
            **without(case, "k", "resample", "noise"),
        )
        fixture.check(f"m2_y_{k}", y)
        gradients = torch.autograd.grad(y, (x, w, s), fixture.input(f"m2_gy_{k}", dtype))
        for name, gradient in zip("xws", gradients, strict=True):
            fixture.check(f"m2_g{name}_{k}", gradient)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("folder", fixtures("ops_conv2d_resample"))
def test_alias_free_modulated_conv2d(folder, dtype):
    fixture = Fixture(folder)
    for key, case in cases(fixture, "m3_").items():
        k = key.removeprefix("m3_")
        x, w, s = (fixture.input(f"m3_{name}_{k}", dtype) for name in "xws")
        gain = fixture.input(f"m3_input_gain_{k}", dtype) if case.get("gain") else None
        y = alias_free_modulated_conv2d(x, w, s, input_gain=gain, **without(case, "k", "gain"))
        fixture.check(f"m3_y_{k}", y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("folder", fixtures("ops_filtered_lrelu"))
def test_filtered_lrelu(folder, dtype):
    fixture = Fixture(folder)
    for key, case in cases(fixture).items():
        x, b = optional(fixture, f"x_{key}", dtype), optional(fixture, f"b_{key}", dtype)
        fu, fd = (fixture.input(f"{n}_{key}", dtype) if fixture.has(f"{n}_{key}") else None for n in ("fu", "fd"))
        y = filtered_lrelu(x, fu, fd, b, **without(case, "fu", "fd", "nob"))
        fixture.check(f"y_{key}", y)
        fixture.check(f"gx_{key}", torch.autograd.grad(y, x, fixture.input(f"gy_{key}", dtype))[0])


@pytest.mark.parametrize("folder", fixtures("ops_filtered_lrelu"))
def test_lowpass_design(folder):
    fixture = Fixture(folder)
    for i, design in enumerate(fixture.config["designs"]):
        designed = design_lowpass_filter(**design)
        assert (designed is None) == (not fixture.has(f"design_{i}"))
        if designed is not None:
            fixture.check(f"design_{i}", designed)
