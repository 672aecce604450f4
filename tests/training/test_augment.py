"""Laws of augmentation: identity at zero, permutations of pixels, two derivatives, refusals that explain themselves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylegenes.errors import UserError
from stylegenes.training.augment import AUGMENTS, AugmentPipe, DiffAugment, geometry
from stylegenes.training.augment.draws import PRESETS, AdaDraws, decide
from stylegenes.training.augment.geometry import (
    Margins,
    inverse_matrix,
    warp_by_filters,
    warp_by_matrices,
)
from stylegenes.training.augment.wavelets import SYM2, SYM6, band_filters

FEW = settings(max_examples=15, deadline=None)
sizes = st.integers(6, 20)
seeds = st.integers(0, 10_000)


def _images(n, c, h, w, seed=0, dtype=torch.float32):
    return torch.rand(n, c, h, w, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


@pytest.mark.parametrize("name", AUGMENTS.names())
def test_every_augmentation_keeps_the_contract(name, rng):
    augment = AUGMENTS.build({"name": name})
    augment.p.fill_(1.0)
    x = _images(3, 3, 16, 16)
    y = augment(x, rng)
    assert y.shape == x.shape and y.dtype == x.dtype and y.isfinite().all()
    assert torch.equal(y, augment(x, torch.Generator().manual_seed(0)))
    assert set(augment.state_dict()) == {"p"}
    assert AUGMENTS.build(augment.spec).spec == {"name": name}


@FEW
@given(
    n=st.integers(1, 4), c=st.sampled_from([1, 3]), h=sizes, w=sizes, seed=seeds, preset=st.sampled_from(["b", "bgc"])
)
def test_probability_zero_is_the_identity_exactly(n, c, h, w, seed, preset):
    x = _images(n, c, h, w, seed)
    assert torch.equal(AugmentPipe(preset, p=0.0)(x, torch.Generator().manual_seed(seed)), x)


def test_all_groups_at_probability_zero_are_the_identity(rng):
    x = _images(2, 3, 24, 24)
    assert torch.equal(AugmentPipe("bgcfnc", p=0.0)(x, rng), x)


@FEW
@given(n=st.integers(1, 3), c=st.sampled_from([1, 3]), h=sizes, w=sizes, seed=seeds)
def test_certain_augmentation_keeps_shape_and_is_finite(n, c, h, w, seed):
    y = AugmentPipe("bgc", p=1.0)(_images(n, c, h, w, seed), torch.Generator().manual_seed(seed))
    assert y.shape == (n, c, h, w) and y.isfinite().all()


@FEW
@given(size=sizes, seed=seeds)
def test_blits_permute_the_pixels(size, seed):
    """On a square picture the inverse matrix of flips and quarter turns maps the pixel grid onto itself."""
    pipe = AugmentPipe({"xflip": 1, "rotate90": 1}, p=1.0)
    draws = pipe.draw(torch.Size((4, 3, size, size)), torch.Generator().manual_seed(seed))
    inverse = inverse_matrix(decide(draws, pipe.probabilities()), pipe.ranges, size, size)
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    grid = torch.stack([*torch.meshgrid(axis, axis, indexing="xy"), torch.ones(size, size, dtype=torch.float64)])
    for moved in (inverse @ grid.flatten(1))[:, :2] + (size - 1) / 2:
        torch.testing.assert_close(moved, moved.round(), rtol=0, atol=1e-9)
        assert len({tuple(position) for position in moved.T.round().long().tolist()}) == size * size


@FEW
@given(h=sizes, w=sizes, u=st.floats(0, 0.999), v=st.floats(0, 0.999))
def test_integer_translation_copies_pixels(h, w, u, v):
    """A whole-pixel translation moves pixels unchanged; what comes in is the reflected picture."""
    pipe = AugmentPipe({"xint": 1}, p=1.0).double()
    x = _images(1, 3, h, w, dtype=torch.float64)
    y = pipe.apply_draws(x, AdaDraws({"xint": torch.tensor([[u, v]])}, {"xint": torch.zeros(1, 1)}))
    dx, dy = (round((draw * 2 - 1) * 0.125 * size) for draw, size in ((u, w), (v, h)))
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (5, 5), (5, 5)), mode="reflect")
    expected = torch.from_numpy(padded)[:, :, 5 - dy : 5 - dy + h, 5 - dx : 5 - dx + w]
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("value", "turns"), [(0.3, 1), (0.6, 2), (0.8, 3)])
def test_quarter_turns_turn_a_smooth_picture(value, turns):
    axis = torch.linspace(-1, 1, 32, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    picture = (torch.sin(2 * x) + torch.cos(y - 0.4 * x))[None, None]
    pipe = AugmentPipe({"rotate90": 1}, p=1.0).double()
    turned = pipe.apply_draws(picture, AdaDraws({"rotate90": torch.tensor([[value]])}, {"rotate90": torch.zeros(1, 1)}))
    torch.testing.assert_close(turned, picture.rot90(turns, (2, 3)), rtol=0, atol=0.02)


def test_untouched_samples_pass_exactly():
    pipe = AugmentPipe("bg", p=0.5)
    x = _images(4, 3, 12, 12)
    draws = pipe.draw(x.shape, torch.Generator().manual_seed(0))
    for gate in draws.gates.values():
        gate.fill_(0.1)
        gate[2] = 0.9
    y = pipe.apply_draws(x, draws)
    assert torch.equal(y[2], x[2]) and not torch.equal(y[1], x[1])
    alone = pipe.apply_draws(x[:1], AdaDraws(*({k: v[:1] for k, v in d.items()} for d in (draws.values, draws.gates))))
    torch.testing.assert_close(y[:1], alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("spec", [{"name": "ada", "transforms": "bgcfnc"}, {"name": "diffaugment"}])
def test_differentiable_twice(spec, rng):
    """A penalty on a gradient through the whole pipe has the gradient that finite differences give."""
    augment = AUGMENTS.build(spec).double()
    augment.p.fill_(0.9)
    draws = augment.draw(torch.Size((2, 3, 24, 24)), rng)
    x = _images(2, 3, 24, 24, dtype=torch.float64).requires_grad_()

    def penalty(x):
        score = augment.apply_draws(x, draws).pow(3).sum()
        return torch.autograd.grad(score, x, create_graph=True)[0].square().mean()

    (gradient,) = torch.autograd.grad(penalty(x), x)
    direction = _images(2, 3, 24, 24, seed=1, dtype=torch.float64)
    step = 1e-5
    numeric = (penalty(x + step * direction) - penalty(x - step * direction)) / (2 * step)
    torch.testing.assert_close((gradient * direction).sum(), numeric, rtol=1e-6, atol=1e-9)


@FEW
@given(
    h=sizes, w=sizes, left=st.integers(0, 5), top=st.integers(0, 5), right=st.integers(0, 5), bottom=st.integers(0, 5)
)
def test_both_executions_agree(h, w, left, top, right, bottom):
    images, taps = _images(2, 3, h, w, dtype=torch.float64), AugmentPipe().taps.double()
    grid = _images(2, (h + 6) * 2, (w + 6) * 2, 2, seed=1, dtype=torch.float64)
    arguments = (images, grid, Margins(left, top, right, bottom), taps)
    torch.testing.assert_close(warp_by_matrices(*arguments), warp_by_filters(*arguments), rtol=0, atol=1e-12)


def test_gates_open_as_often_as_p():
    pipe = AugmentPipe("bgc", p=0.3)
    draws = pipe.draw(torch.Size((4000, 3, 8, 8)), torch.Generator().manual_seed(1))
    amounts = decide(draws, pipe.probabilities())
    for name in ("xflip", "scale", "hue"):
        assert amounts.active[name].double().mean().item() == pytest.approx(0.3, abs=0.03)
    assert amounts.any_active(("rotate_pre", "rotate_post")).double().mean().item() == pytest.approx(0.3, abs=0.03)


def test_color_of_gray_pictures_skips_hue_and_saturation():
    pipe = AugmentPipe("color", p=1.0)
    assert not {"hue", "saturation"} & set(pipe.draw(torch.Size((2, 1, 8, 8))).values)


def test_half_precision_is_computed_in_single(rng):
    assert AugmentPipe("bgc", p=1.0)(_images(1, 3, 8, 8).bfloat16(), rng).dtype == torch.float32


def test_cutout_blacks_out_a_quarter(rng):
    x = torch.ones(1, 3, 16, 16)
    draws = AdaDraws({"cutout": torch.tensor([[0.5, 0.5]])}, {"cutout": torch.zeros(1, 1)})
    assert AugmentPipe("cutout", p=1.0).apply_draws(x, draws).mean().item() == 0.75


def test_wavelets_are_orthogonal():
    for scaling in (SYM2, SYM6):
        for shift in range(0, len(scaling), 2):
            product = np.dot(scaling[shift:], scaling[: len(scaling) - shift])
            assert product == pytest.approx(float(shift == 0), abs=1e-11)


def test_bands_sum_to_an_impulse():
    impulse = np.eye(1, 43, 21)[0]
    np.testing.assert_allclose(band_filters().sum(0), impulse, atol=1e-12)
    response = np.abs(np.fft.rfft(band_filters(), 512, axis=1))
    assert response[0].argmax() == 0 and response[3].argmax() == 256


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: AugmentPipe("bcg"), "unknown augmentation preset 'bcg'; did you mean 'bg'\\? accepted: b, bg, bgc"),
        (lambda: AugmentPipe({"flip": 1.0}), "unknown augmentation 'flip'; did you mean 'xflip'\\? accepted: aniso, "),
        (lambda: AugmentPipe({"xflip": -1.0}), "'xflip' is -1.0; it must be 0"),
        (lambda: AugmentPipe(ranges={"xint": 0.1}), "range 'xint'; did you mean 'xint_max'\\? accepted: "),
        (lambda: AugmentPipe(p=1.5), "p = 1.5; it must be in"),
        (lambda: DiffAugment("color,shift"), "'shift'; accepted: color, translation, cutout"),
        (lambda: AugmentPipe("filter", p=1.0)(torch.zeros(1, 3, 16, 16)), "above 21 pixels, got 16 x 16"),
    ],
)
def test_refusals_say_what_to_do(build, message):
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        build()


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_build(preset, rng):
    assert AugmentPipe(preset, p=0.8)(_images(2, 3, 24, 24), rng).isfinite().all()


@pytest.mark.parametrize("size", [(32, 32), (16, 24)])
def test_a_device_that_is_not_looked_at_pads_more_and_warps_the_same(size, monkeypatch):
    """On a GPU nobody looks how far the matrices reach: the largest padding and the filters give the same pictures."""
    pipe = AUGMENTS.build({"name": "ada", "transforms": "bg", "p": 0.9})
    images = torch.rand(8, 3, *size) * 2 - 1
    draws = pipe.draw(images.shape, torch.Generator().manual_seed(3))
    expected = pipe.apply_draws(images, draws)
    inverse = geometry.inverse_matrix(decide(draws, pipe.probabilities()), pipe.ranges, *size)
    assert geometry.margins_for(inverse, *size, len(pipe.taps)) != geometry.largest_margins(*size)
    monkeypatch.setattr(
        geometry, "margins_for", lambda inverse, height, width, taps: geometry.largest_margins(height, width)
    )
    monkeypatch.setattr(geometry, "warp_by_matrices", geometry.warp_by_filters)
    torch.testing.assert_close(pipe.apply_draws(images, draws), expected, rtol=1e-4, atol=1e-4)
