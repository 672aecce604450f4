"""Every recipe is complete, and says what its paper says."""

import json
import math

import pytest
import torch

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.layers import Stages, fit_stages
from stylegenes.recipes import RECIPES, choose_recipe, recipe
from stylegenes.records import ImageBatch
from stylegenes.size import Size
from stylegenes.synthesis import SYNTHESES
from stylegenes.training.augment import AUGMENTS
from stylegenes.training.batch import plan_batch
from stylegenes.training.losses import LOSSES
from stylegenes.training.overrides import apply_overrides, config_from_dict
from stylegenes.training.players import build_phases
from stylegenes.training.regularizers import REGULARIZERS
from stylegenes.training.schedules import SCHEDULES, Progress


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
    for schedule in (config.growth, config.blur, config.penalty_scale, config.rendering, config.pose_swap):
        if schedule is not None:
            SCHEDULES.build(schedule)
    AUGMENTS.check(config.augment.pipe or {"name": "none"})
    assert build_phases({n: REGULARIZERS.build({"name": n, **kwargs}) for n, kwargs in config.regularizers.items()})
    for ranks in (1, 2, 4):
        plan_batch(config.batch, ranks=ranks, discriminator=config.model.discriminator)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_build_for_data_of_another_size(name):
    """Shapes of fewer and of more stages than the recipe's; those that see by a camera say that they are square."""
    for size in ("48x32", "24x16", "32x192", 20, 128):
        config = apply_overrides(recipe(name), [f"data.resolution={size}"])
        if config.model.synthesis["name"] == "eg3d":
            continue
        with torch.device("meta"):
            networks = SYNTHESES.build(config.model.synthesis), DISCRIMINATORS.build(config.model.discriminator)
        assert {Size.of(network.resolution) for network in networks} == {Size.of(size)}


def test_networks_of_a_recipe_for_32_pixels_make_and_judge_other_shapes():
    for size in ("48x32", "24x16"):
        model = apply_overrides(recipe("r3gan32"), [f"data.resolution={size}"]).model
        image = SYNTHESES.build(model.synthesis)(torch.randn(2, 1, model.synthesis["w_dim"])).image
        assert image.shape == (2, 3, *Size.of(size).hw)
        assert DISCRIMINATORS.build(model.discriminator)(ImageBatch(image)).shape == (2, 1)


def test_stages_are_counted_from_the_picture():
    """A list for 32 px serves 48x32 and 24x16; lists of unlike lengths serve nothing."""
    lists = {"widths": [96, 96, 64, 32], "groups": [12, 12, 8, 4], "blocks": [1, 2, 1, 1]}
    assert fit_stages(Size.of(32), **lists) == Stages(**lists)
    assert fit_stages(Size.of("48x32"), **lists).widths == [96, 96, 96, 64, 32]
    assert fit_stages(Size.of(128), **lists).blocks == [1, 1, 1, 2, 1, 1]
    assert fit_stages(Size.of(16), **lists) == Stages([96, 64, 32], [12, 8, 4], [2, 1, 1])
    with pytest.raises(UserError, match=r"for each stage \(48x32 px takes 5, from 3x2 px up\); got 4, 4 and 3"):
        fit_stages(Size.of("48x32"), **{**lists, "blocks": [1, 1, 1]})


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


@pytest.mark.parametrize(("name", "millions"), [("stylegan1-f", 26.2), ("stylegan1-b", 23.1)])
def test_generators_are_as_large_as_the_paper_counts(name, millions):
    """StyleGAN, caption of figure 1."""
    model = recipe(name).model
    with torch.device("meta"):
        G = Generator.from_spec({"latent": model.latent, "synthesis": model.synthesis})
    assert sum(p.numel() for p in G.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)


def test_growth_reaches_the_full_resolution_when_the_paper_says():
    """StyleGAN, figure 9: 8.4 million images; learning rates change with the resolution that begins to fade in."""
    config = recipe("stylegan1-f")
    growth, rate = SCHEDULES.build(config.growth), SCHEDULES.build(config.optimizer.lr_scale)
    levels = [growth.value(Progress(images, 32, 0, 0.0, 0.0)) for images in (0, 8_390_000, 8_400_000)]
    assert levels[0] == 3 and levels[1] < 10 and levels[2] == 10
    rates = [rate.value(Progress(images, 32, 0, 0.0, 0.0)) for images in (0, 7_000_000, 8_400_000)]
    assert rates == [1.0, 3.0, 3.0]
    older = SCHEDULES.build(recipe("stylegan1-a").growth)
    assert older.value(Progress(0, 32, 0, 0.0, 0.0)) == 2 and recipe("stylegan1-a").kimg == 12_000


def test_stylegan3_differs_in_r_as_the_paper_says():
    t, r = recipe("stylegan3-t-ffhq256"), recipe("stylegan3-r-ffhq256")
    assert r.model.synthesis["channel_base"] == 2 * t.model.synthesis["channel_base"]
    assert (r.model.synthesis["conv_kernel"], r.model.synthesis["radial_filters"]) == (1, True)
    assert (t.optimizer.G.lr, t.optimizer.D.lr, t.mixing, list(t.regularizers)) == (0.0025, 0.002, 0.0, ["r1"])
    assert t.blur is None and r.blur is not None
    blur = SCHEDULES.build(r.blur)
    assert [blur.value(Progress(images, 32, 0, 0.0, 0.0)) for images in (0, 100_000, 200_000, 10**6)] == [10, 5, 0, 0]
    half_life = t.batch.total * math.log(0.5) / math.log(t.model.synthesis["magnitude_beta"])
    assert half_life == pytest.approx(20_000)


def test_eg3d_is_as_large_as_published():
    """Planes [3, 32, 256, 256], 14 ws, blur to 200 and pose swapping to 1000 thousand images."""
    config = recipe("eg3d-ffhq512")
    with torch.device("meta"):
        S = Generator.from_spec({"latent": config.model.latent, "synthesis": config.model.synthesis}).synthesis
    assert (S.num_ws, S.backbone.resolution, S.backbone.image_channels) == (14, 256, 96)
    assert (S.super_resolution.block0.conv0.weight.shape[0], S.super_resolution.input_resolution) == (256, 128)
    swap, blur = SCHEDULES.build(config.pose_swap), SCHEDULES.build(config.blur)
    assert [swap.value(Progress(images, 32, 0, 0.0, 0.0)) for images in (0, 500_000, 10**6)] == [1.0, 0.75, 0.5]
    assert blur.value(Progress(200_000, 32, 0, 0.0, 0.0)) == 0
    rendering = SCHEDULES.build(recipe("eg3d-ffhq512-128").rendering)
    assert [round(rendering.value(Progress(images, 32, 0, 0.0, 0.0))) for images in (0, 500_000, 10**6)] == [
        64,
        96,
        128,
    ]


def test_r3gan_lowers_its_penalties():
    config = recipe("r3gan256")
    scale = SCHEDULES.build(config.penalty_scale)
    gammas = [15 * scale.value(Progress(images, 256, 0, 0.0, 0.0)) for images in (0, 20_000_000, 25_000_000)]
    assert gammas == pytest.approx([150, 15, 15]) and config.regularizers["r1"]["gamma"] == 15


def test_variants_of_a_recipe_differ_in_the_latent_alone():
    pairs = [("tiny32", "tiny32-mapping"), ("ffhq256", "ffhq256-mapping")]
    pairs += [(f"eg3d-{data}", f"eg3d-{data}-genome") for data in ("ffhq512", "afhq512", "cars128")]
    pairs += [(f"stylegan3-{kind}-ffhq256", f"stylegan3-{kind}-ffhq256-genome") for kind in "tr"]
    for one, other in pairs:
        first, second = recipe(one).to_dict(), recipe(other).to_dict()
        assert first["model"].pop("latent") != second["model"].pop("latent")
        assert {**second, "recipe": one} == first


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
