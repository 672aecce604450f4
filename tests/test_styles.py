"""Code strings that say more than a latent's own: read to the last bit, and drawn as the rooms below draw."""

import numpy as np
import pytest
import torch

import stylegenes
from stylegenes.analysis.population import Crossing
from stylegenes.drawing import DrawSettings, band_layers, codes_of_seeds, draw, draw_between, draw_mixed, express
from stylegenes.errors import UserError
from stylegenes.styles import between, check_texts, draw_texts, mixed, read_styles, write_styles

MODELS = ["avatars32", "avatars32-mapping"]


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return stylegenes.open(request.param, device="cpu")


@pytest.fixture(scope="module")
def pair(model):
    codes = codes_of_seeds(model.generator, [3, 8])
    return codes, model.generator.latent.to_strings(codes)


@pytest.mark.parametrize(
    "drawing", [DrawSettings(), DrawSettings(psi=0.6), DrawSettings(psi=-0.5, cutoff=3, noise="random")]
)
def test_a_latents_own_string_draws_what_drawing_draws(model, pair, drawing):
    codes, names = pair
    for ours, theirs in zip(
        draw_texts(model.generator, names, drawing), draw(model.generator, codes, drawing), strict=True
    ):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("layers", [None, [0, 1]])
def test_style_vectors_are_written_and_read_to_the_last_bit(model, pair, layers):
    ws = express(model.generator, pair[0], DrawSettings()).clone()
    if layers is not None:
        ws[:, layers] += 0.3
    texts = write_styles(ws)
    assert torch.equal(read_styles(model.generator, texts, DrawSettings()), ws)
    assert len(texts[0]) == 2 + -(-ws.shape[2] * (1 if layers is None else ws.shape[1]) * 32 // 6)


def test_mixtures_are_those_of_style_mixing(model, pair):
    (row, column), names = pair[0].split(1), pair[1]
    layers = band_layers(model.generator, "middle")
    text = mixed(*names, layers.nonzero().flatten().tolist())
    drawing = DrawSettings(psi=0.8)
    theirs = next(draw_mixed(model.generator, row, column, layers, drawing))
    assert np.array_equal(next(draw_texts(model.generator, [text], drawing)), theirs)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 1 / 3, 1.0])
def test_places_between_are_those_of_interpolation(model, pair, share):
    (start, end), names = pair[0].split(1), pair[1]
    theirs = next(draw_between(model.generator, start, end, [share], DrawSettings()))
    assert np.array_equal(next(draw_texts(model.generator, [between(*names, share)], DrawSettings())), theirs)


def test_a_model_draws_mixes_and_goes_between_style_vectors(model, pair):
    texts = write_styles(express(model.generator, pair[0], DrawSettings()))
    sheet = model.draw(texts)
    assert list(sheet.codes) == texts
    plain = model.draw(pair[1])
    assert all(np.array_equal(a, b) for a, b in zip(sheet.pictures, plain.pictures, strict=True))
    ours, theirs = (model.mix("coarse", codes=codes).pictures for codes in (texts, pair[1]))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    ends = model.interpolate(2, codes=texts).pictures
    assert np.array_equal(ends[0], plain.pictures[0]) and np.array_equal(ends[-1], plain.pictures[1])


def test_a_mixture_may_be_the_second_of_two(model, pair):
    """What is made of mixtures can be drawn, whichever comes first, and is what their style vectors make."""
    first, second = pair[1]
    mixture = model.mixtures([first], [second], "coarse")[0][0]
    vectors = write_styles(read_styles(model.generator, [mixture], DrawSettings()))[0]
    for codes in (
        model.way(first, mixture, 4),
        model.way(mixture, first, 4),
        *model.mixtures([first, mixture], [mixture, first]),
        model.children([first, mixture], 3),
        model.children([mixture, mixture], 3),
        model.mutants(mixture, 3),
    ):
        assert len(model.pictures(codes)) == len(codes)
    assert model.way(first, mixture, 4)[-1] == mixture
    for a, b in zip(
        model.pictures(model.way(first, mixture, 4)), model.pictures(model.way(first, vectors, 4)), strict=True
    ):
        assert np.array_equal(a, b)
    both = model.interpolate(2, codes=[first, mixture]).pictures
    assert np.array_equal(both[-1], model.pictures([mixture])[0])
    crossed = model.mix("middle", codes=[first, mixture]).pictures[-1]
    assert np.array_equal(crossed, model.pictures(model.mixtures([first], [mixture], "middle")[0])[0])


def test_generations_of_mixtures_do_not_end(model, pair):
    code, other = model.mixtures(*([one] for one in pair[1]), "coarse")[0][0], pair[1][1]
    for generation in range(12):
        code = model.mutants(code, 1, seed=generation)[0]
        code = model.children([code, other], 1, seed=generation)[0]
        code = model.mixtures([code], [other], "fine")[0][0]
        check_texts(model.generator, [code])
    assert len(model.pictures(model.way(code, other, 2))) == 3


@pytest.mark.parametrize("rate", [-0.1, 1.5, 2])
def test_rates_of_mixtures_lie_between_none_and_all(model, pair, rate):
    mixture = model.mixtures(*([one] for one in pair[1]), "coarse")[0][0]
    for code in (mixture, pair[1][0]):
        with pytest.raises(UserError, match=r"\[0, 1\]"):
            model.mutants(code, 1, rate=rate)
    with pytest.raises(UserError, match=r"\[0, 1\]"):
        Crossing(rate=rate)


def test_files_carry_style_vectors(model, pair, tmp_path):
    texts = [mixed(*pair[1], [0, 5]), between(*pair[1], 0.25)]
    path = model.draw(texts).save(tmp_path / "a.png")
    again = model.draw(str(path))
    assert list(again.codes) == texts
    with pytest.raises(UserError, match="own codes"):
        _ = model.choose(codes=texts).plain


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda a, b: f"{a}~", "is no step"),
        (lambda a, b: f"{a}~{b}", "is no step"),
        (lambda a, b: f"{a}~{b}*1.5", "is no step"),
        (lambda a, b: f"{a}~{b}*nan", "is no step"),
        (lambda a, b: f"{a}~{b}@99", "layers 0 to"),
        (lambda a, b: f"{a}~{b}@3-1", "layers 0 to"),
        (lambda a, b: f"{a}~{b}@x", "no layers"),
        (lambda a, b: f"{a}~../etc@0", "no code string"),
        (lambda a, b: "~".join([a] + [f"{b}*0.5"] * 40), "steps"),
        (lambda a, b: "w.AAAA", "holds others"),
        (lambda a, b: "w.", "holds others"),
        (lambda a, b: "", "code string"),
    ],
)
def test_what_cannot_be_read_is_said(model, pair, made, says):
    with pytest.raises(UserError, match=says):
        check_texts(model.generator, [made(*pair[1])])


def test_vectors_that_are_no_numbers_are_refused(model):
    ws = torch.full((1, model.generator.synthesis.num_ws, model.generator.synthesis.w_dim), float("nan"))
    ws[:, 0] = float("inf")
    with pytest.raises(UserError, match="no number"):
        check_texts(model.generator, write_styles(ws))
