"""A code gives the very same pixels alone and among others, in every network and every way to show it."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from stylegenes import load
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.choice import Choice
from stylegenes.drawing import (
    DrawSettings,
    Way,
    band_layers,
    codes_of_seeds,
    draw,
    draw_between,
    draw_images,
    draw_mixed,
    draw_ws,
    express,
)
from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.pictures import to_uint8
from stylegenes.records import Condition
from stylegenes.sheets import Origin
from stylegenes.synthesis import SYNTHESES
from stylegenes.training.draws import Codes
from stylegenes.training.images import code_sheet

SIZE, W_DIM = 16, 8
LATENTS = {
    "genome": {"name": "genome", "w_dim": W_DIM, "num_genes": 4, "num_variants": 16},
    "mapping": {"name": "mapping", "w_dim": W_DIM, "depth": 2},
    "gaussian": {"name": "gaussian", "w_dim": W_DIM},
    "labels": {"name": "mapping", "w_dim": W_DIM, "depth": 2, "label_dim": 3},
}
LOOKS = [DrawSettings(), DrawSettings(noise="random"), DrawSettings(psi=0.7, cutoff=1, noise="none")]


def generator_of(synthesis: str, latent: str) -> Generator:
    spec = {"name": synthesis, **SYNTHESES.get(synthesis).example_spec(SIZE, W_DIM)}
    generator = Generator.from_spec({"latent": LATENTS[latent], "synthesis": spec})
    for key, parameter in generator.named_parameters():
        parameter.data.add_(0.3 if key.endswith("noise_strength") else 0.0)
    return generator.eval().requires_grad_(False)


def looks_of(generator: Generator, n: int) -> list[DrawSettings]:
    """Every look, with a label of its own for each code where labels are wanted."""
    if not generator.label_dim:
        return LOOKS
    labels = torch.eye(3)[torch.arange(n) % 3]
    return [replace(one, condition=Condition(labels)) for one in LOOKS]


def same_alone_and_among_others(
    generator: Generator, n: int, drawings: list[DrawSettings], sizes: tuple[int, ...]
) -> None:
    codes = codes_of_seeds(generator, range(n))
    for drawing in drawings:
        whole = np.stack(list(draw(generator, codes, drawing)))
        for size in sizes:
            for start in {0, min(5, n - size), n - size}:
                part = slice(start, start + size)
                rows = replace(drawing, condition=drawing.condition[part])
                assert np.array_equal(np.stack(list(draw(generator, codes[part], rows))), whole[part])
        assert np.array_equal(to_uint8(draw_images(generator, codes, drawing)), whole)
        again = draw_ws(generator, express(generator, codes, drawing), drawing, generator.latent.to_strings(codes))
        assert np.array_equal(np.stack(list(again)), whole)
        assert len({picture.tobytes() for picture in whole}) > 1


@pytest.mark.parametrize("latent", ["genome", "labels"])
@pytest.mark.parametrize("synthesis", SYNTHESES.names())
def test_a_code_has_the_same_pixels_alone_and_among_others(synthesis, latent):
    generator = generator_of(synthesis, latent)
    same_alone_and_among_others(generator, 7, looks_of(generator, 7)[1:2], (1, 3))


@pytest.mark.slow
@pytest.mark.parametrize("latent", LATENTS)
@pytest.mark.parametrize("synthesis", SYNTHESES.names())
def test_so_it_is_at_every_size_and_place(synthesis, latent):
    generator = generator_of(synthesis, latent)
    same_alone_and_among_others(generator, 64, looks_of(generator, 64), (1, 2, 3, 7, 16, 64))


def test_so_it_is_in_a_trained_model():
    same_alone_and_among_others(load("avatars32"), 64, LOOKS[:1], (2, 16))


@pytest.mark.parametrize("latent", LATENTS)
def test_every_way_to_show_a_code_shows_the_same(latent):
    generator = generator_of("stylegan2", latent)
    codes = codes_of_seeds(generator, range(5))
    label = Condition(torch.eye(3)[:1]) if generator.label_dim else Condition()
    for drawing in (DrawSettings(condition=label), DrawSettings(psi=0.5, noise="random", condition=label)):
        plain = list(draw(generator, codes, drawing))
        for way in ("own", "code", "w"):
            ends = list(draw_between(generator, codes[:1], codes[4:], [0.0, 1.0], drawing, way))
            assert np.array_equal(ends[0], plain[0])
            assert drawing.noise == "random" or np.array_equal(ends[1], plain[4])
        none = torch.zeros(generator.synthesis.num_ws, dtype=torch.bool)
        assert np.array_equal(next(draw_mixed(generator, codes[2:], codes[:1], none, drawing)), plain[2])
    labels = Condition(label.label.expand(5, -1)) if label.label is not None else label
    drawn = code_sheet(generator.train(), Codes(codes, labels), "run", ["a", "b", "c"], 0)
    assert np.array_equal(
        np.stack(drawn.pictures), np.stack(list(draw(generator.eval(), codes, DrawSettings(condition=label))))
    )


class Corner(AttributeClassifier):
    """The brightness of a corner: differs with every change of noise, truncation or label."""

    name, weights_hash, resolution, attributes = "corner", "0" * 64, SIZE, ["corner"]

    def forward(self, images):
        return images[:, :, :4, :4].clamp(-1, 1).mean(dim=(1, 2, 3))[:, None]


@pytest.mark.parametrize("way", get_args(Way))
@pytest.mark.parametrize("kind", ["codes", "mixtures"])
def test_a_way_between_codes_of_two_labels_ends_at_both_pictures(kind, way):
    generator = generator_of("stylegan2", "labels")
    drawing = DrawSettings(condition=Condition(label=torch.eye(3)[:2]))
    choice = Choice(generator, generator.sample(2), ["a", "b"], drawing, Origin("toy"))
    if kind == "mixtures":
        first, second = choice.strings
        texts = [f"{first}~{second}@0", f"{second}~{first}@0"]
        choice = replace(choice, codes=generator.sample(0), texts=texts)
    alone, between = choice.samples().pictures, choice.interpolation(4, [way]).pictures
    assert np.array_equal(between[0], alone[0]) and np.array_equal(between[-1], alone[1])
    loop = choice.interpolation(4, [way], moving=True).pictures
    assert np.array_equal(loop[4], alone[1])
    layers = band_layers(generator, "middle")
    crossed = torch.where(layers[None, :, None], choice.ws[1:], choice.ws[:1])
    theirs = next(draw_ws(generator, crossed, drawing))
    assert np.array_equal(choice.mixing("middle").pictures[-1], theirs), "each source is told its own label"


@pytest.mark.parametrize("noise", ["const", "random", "none"])
def test_what_is_judged_is_what_is_shown(noise):
    generator = generator_of("stylegan2", "labels")
    codes = codes_of_seeds(generator, range(6))
    for label in torch.eye(3):
        labeler = CodeLabeler(generator, Corner(), DrawSettings(0.6, None, noise, Condition(label[None])), batch_size=4)
        seen = torch.from_numpy(np.stack(list(draw(generator, codes, labeler.drawing)))).permute(0, 3, 1, 2) / 127.5 - 1
        assert torch.allclose(labeler.probabilities(codes).float(), labeler.classifier(seen), atol=0.01)
        assert np.array_equal(to_uint8(labeler.shown(codes)), np.stack(list(draw(generator, codes, labeler.drawing))))
        assert torch.allclose(labeler.pictures(codes), labeler.shown(codes), atol=1e-4)
