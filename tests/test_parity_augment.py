"""Adaptive and differentiable augmentation against recorded numbers."""

import itertools

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.training.augment import AugmentPipe
from stylegenes.training.augment import diffaugment as diff
from stylegenes.training.augment.draws import TRANSFORMS, AdaDraws, decide
from stylegenes.training.augment.geometry import Margins, inverse_matrix, margins_for, sampling_matrix

PRECISIONS = [torch.float64, torch.float32]


def _pipe(official: dict, p: float) -> AugmentPipe:
    """A pipe from official keyword arguments."""
    names = {transform.strength for transform in TRANSFORMS.values()}
    strengths = {key: value for key, value in official.items() if key in names}
    return AugmentPipe(strengths, p=p, ranges={key: value for key, value in official.items() if key not in names})


def _build(official: dict, fixture: Fixture, dtype: torch.dtype) -> AugmentPipe:
    """A pipe with the recorded single-precision filters."""
    pipe = _pipe(official, p=1.0).to(dtype)
    pipe.taps.copy_(fixture.weights["Hz_geom"])
    pipe.bands.copy_(fixture.weights["Hz_fbank"])
    return pipe


def _percentile(pipe: AugmentPipe, shape: torch.Size, fraction: float) -> AdaDraws:
    """Every draw at a percentile, in the convention of the recorded runs: normals at erfinv, one rotation only."""
    level = {"uniform": fraction, "normal": torch.erfinv(torch.tensor(2 * fraction - 1, dtype=torch.float64)).item()}
    drawn = pipe.draw(shape)
    values = {k: torch.full_like(v, level[TRANSFORMS[k].kind], dtype=torch.float64) for k, v in drawn.values.items()}
    if "rotate_post" in values:
        values["rotate_post"].fill_(0.5)
    return AdaDraws(values, {name: torch.zeros_like(gate) for name, gate in drawn.gates.items()})


def _percentile_runs(fixture: Fixture, prefix: str) -> list[tuple[str, str, float]]:
    names = [name for name in fixture.config["arrays"] if name.startswith(prefix) and name.rsplit("_", 1)[1].isdigit()]
    assert names
    parts = [(name, *name.removeprefix(prefix).rsplit("_", 1)) for name in names]
    return [(name, what, int(percent) / 100) for name, what, percent in parts]


def _pipe_of_run(what: str, fixture: Fixture, dtype: torch.dtype) -> AugmentPipe:
    single = what in {transform.strength for transform in TRANSFORMS.values()}
    return _build({what: 1} if single else fixture.kwargs(), fixture, dtype)


def _recorded(fixture: Fixture) -> AdaDraws:
    names, n = fixture.config["draw_order"], fixture.arrays["x"].shape[0]
    values = {name: fixture.input(f"rnd_{name}_value").reshape(n, -1) for name in names}
    return AdaDraws(values, {name: fixture.input(f"rnd_{name}_gate").reshape(n, -1) for name in names})


def _check_theta(fixture: Fixture, suffix: str, pipe: AugmentPipe, draws: AdaDraws, size: tuple[int, int]) -> None:
    """The matrices agree for our margins or for ones a pixel larger: an exact integer may round up when recorded."""
    inverse = inverse_matrix(decide(draws, pipe.probabilities()), pipe.ranges, *size)
    ours, taps = margins_for(inverse, *size, pipe.taps.shape[0]), pipe.taps.shape[0]
    expected = fixture.input(f"theta_{suffix}__f64")
    extras = itertools.product((0, 1), repeat=4)
    tried = [Margins(ours.left + a, ours.top + b, ours.right + c, ours.bottom + d) for a, b, c, d in extras]
    errors = [(sampling_matrix(inverse, margins, *size, taps) - expected).abs().max().item() for margins in tried]
    best = min(range(len(errors)), key=errors.__getitem__)
    assert errors[best] <= 1e-9 * fixture.config["arrays"][f"theta_{suffix}"]["rms"], errors[best]
    if fixture.has(f"padded_hw_{suffix}"):
        smallest = torch.tensor([size[0] + ours.top + ours.bottom, size[1] + ours.left + ours.right]) * 2
        excess = fixture.input(f"padded_hw_{suffix}") - smallest
        assert (excess >= 0).all() and (excess <= 4).all() and (excess % 2 == 0).all()


@pytest.mark.parametrize("folder", fixtures("ada_augment"))
def test_filters(folder):
    fixture, pipe = Fixture(folder), AugmentPipe()
    torch.testing.assert_close(pipe.taps, fixture.weights["Hz_geom"], rtol=0, atol=1e-7)
    torch.testing.assert_close(pipe.bands, fixture.weights["Hz_fbank"], rtol=0, atol=1e-7)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("folder", fixtures("ada_augment"))
def test_percentile_images(folder, dtype):
    fixture = Fixture(folder)
    for name, what, fraction in _percentile_runs(fixture, "y_"):
        if what == "imgfilter_b0":
            continue
        pipe = _pipe_of_run(what, fixture, dtype)
        x = fixture.input("x", dtype)
        x = x[: fixture.config["arrays"][name]["shape"][0]]
        fixture.check(name, pipe.apply_draws(x, _percentile(pipe, x.shape, fraction)))


@pytest.mark.parametrize("folder", fixtures("ada_augment"))
def test_some_bands_only(folder):
    """The recording does not say which bands were on beside the first; one choice explains every percentile."""
    fixture = Fixture(folder)
    runs = [run for run in _percentile_runs(fixture, "y_") if run[1] == "imgfilter_b0"]

    def explains(bands: tuple[int, ...]) -> bool:
        pipe = _build({"imgfilter": 1, "imgfilter_bands": bands}, fixture, torch.float64)
        try:
            for name, _, fraction in runs:
                x = fixture.input("x")[: fixture.config["arrays"][name]["shape"][0]]
                fixture.check(name, pipe.apply_draws(x, _percentile(pipe, x.shape, fraction)))
        except AssertionError:
            return False
        return True

    assert not runs or len([bands for bands in itertools.product((0, 1), repeat=4) if explains(bands)]) == 1


@pytest.mark.parametrize("folder", fixtures("ada_augment"))
def test_percentile_matrices(folder):
    fixture = Fixture(folder)
    size = fixture.arrays["x"].shape[2:]
    for name, what, fraction in _percentile_runs(fixture, "theta_"):
        pipe, x = _pipe_of_run(what, fixture, torch.float64), fixture.input("x")[: fixture.arrays[name].shape[0]]
        _check_theta(fixture, name.removeprefix("theta_"), pipe, _percentile(pipe, x.shape, fraction), size)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("folder", fixtures("ada_augment"))
def test_recorded_draws(folder, dtype):
    fixture = Fixture(folder)
    pipe = _build(fixture.kwargs(), fixture, dtype)
    pipe.p.copy_(fixture.input("p_random", dtype))
    assert fixture.config["draw_order"] == list(pipe.draw(fixture.arrays["x"].shape).values)
    x = fixture.input("x", dtype).requires_grad_()
    y = pipe.apply_draws(x, _recorded(fixture))
    fixture.check("y_random", y)
    (gx,) = torch.autograd.grad((y * fixture.input("gy", dtype)).sum(), x)
    fixture.check("gx_random", gx)
    _check_theta(fixture, "random", pipe, _recorded(fixture), x.shape[2:])


@pytest.mark.parametrize("folder", fixtures("ada_augment"))
def test_own_filters_are_as_good(folder):
    """With the filters that the package computes itself the picture stays the same to their rounding."""
    fixture = Fixture(folder)
    pipe = _pipe(fixture.kwargs(), p=float(fixture.arrays["p_random"])).double()
    fixture.check("y_random", pipe.apply_draws(fixture.input("x"), _recorded(fixture)), f64=1e-6)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("folder", fixtures("pg_diffaugment"))
def test_diffaugment(folder, dtype):
    fixture = Fixture(folder)

    def pair(name: str) -> torch.Tensor:
        return torch.stack([fixture.input(f"t_{name}_{axis}").flatten() for axis in "xy"], 1)

    colors = {name: fixture.input(f"u_{name}").flatten() for name in ("brightness", "saturation", "contrast")}
    draws = diff.DiffDraws(**colors, translation=pair("translation"), cutout=pair("cutout"))
    for names in diff.POLICIES.values():
        for name in names:
            pipe = diff.DiffAugment(name, cutout_size=0.2)
            fixture.check(f"y_{name}", pipe.apply_draws(fixture.input("x", dtype), draws))
