"""Every recipe is complete, and says what its paper says."""

import json

import pytest
import torch

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.recipes import RECIPES, choose_recipe, recipe
from stylegenes.training.augment import AUGMENTS
from stylegenes.training.batch import plan_batch
from stylegenes.training.losses import LOSSES
from stylegenes.training.overrides import config_from_dict
from stylegenes.training.players import build_phases
from stylegenes.training.regularizers import REGULARIZERS
from stylegenes.training.schedules import SCHEDULES


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_build(name):
    config = recipe(name)
    assert config.recipe == name
    assert config_from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with torch.device("meta"):
        G = Generator.from_spec({"latent": config.model.latent, "synthesis": config.model.synthesis})
        D = DISCRIMINATORS.build(config.model.discriminator)
    assert G.synthesis.resolution == D.resolution == config.data.resolution
    LOSSES.build(config.loss)
    SCHEDULES.build(config.augment.p)
    SCHEDULES.build(config.optimizer.lr_scale)
    if config.growth is not None:
        SCHEDULES.build(config.growth)
    AUGMENTS.check(config.augment.pipe or {"name": "none"})
    assert build_phases({n: REGULARIZERS.build({"name": n, **kwargs}) for n, kwargs in config.regularizers.items()})
    for ranks in (1, 2, 4):
        plan_batch(config.batch, ranks=ranks, discriminator=config.model.discriminator)


def test_tiny_is_as_small_as_it_says():
    config = recipe("tiny32")
    G = Generator.from_spec({"latent": config.model.latent, "synthesis": config.model.synthesis})
    D = DISCRIMINATORS.build(config.model.discriminator)
    counts = [sum(p.numel() for p in network.parameters()) for network in (G, D)]
    assert counts == pytest.approx([0.51e6, 0.54e6], rel=0.02)


def test_paper_settings():
    small, large = recipe("ffhq256"), recipe("ffhq1024")
    assert (small.kimg, small.batch.total, large.kimg, large.batch.total) == (10_000, 64, 2_000, 16)
    assert small.regularizers["r1"]["gamma"] == pytest.approx(0.2048)
    assert large.regularizers["r1"]["gamma"] == pytest.approx(13.1072)
    assert small.model.latent == {"name": "genome", "w_dim": 512, "num_genes": 64, "num_variants": 256}


def test_variants_of_a_recipe_differ_in_the_latent_alone():
    for name in ("tiny32", "ffhq256"):
        genome, mapping = recipe(name).to_dict(), recipe(f"{name}-mapping").to_dict()
        assert mapping["model"].pop("latent") != genome["model"].pop("latent")
        assert {**mapping, "recipe": name} == genome


def test_unknown_recipe():
    with pytest.raises(UserError, match="did you mean 'ffhq256'"):
        recipe("ffhq265")


@pytest.mark.parametrize(
    ("device", "resolution", "name"),
    [("cpu", None, "tiny32"), ("cpu", 64, "small64"), ("cuda", None, "small64"), ("cuda", 256, "ffhq256"),
     ("cuda", 1024, "ffhq1024")],
)  # fmt: skip
def test_a_recipe_is_chosen_with_a_reason(device, resolution, name):
    choice = choose_recipe(device, resolution)
    assert choice.name == name and len(choice.why) > 20
