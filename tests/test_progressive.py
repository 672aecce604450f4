"""Growth: fade-in is continuous, the picture keeps its size, and the schedule says when."""

from dataclasses import replace

import pytest
import torch

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.progressive import Growth, double, halve
from stylegenes.records import ImageBatch, Noise
from stylegenes.size import Size
from stylegenes.synthesis import SYNTHESES
from stylegenes.training.schedules import SCHEDULES, Progress

SMALL = {"resolution": 16, "channel_base": 64, "channel_max": 8}
GROWING = ["progan", "stylegan1"]


def build(name: str):
    return SYNTHESES.build({"name": name, "w_dim": 4, **SMALL}).requires_grad_(False)


def picture(S, level: float) -> torch.Tensor:
    S.grow(level)
    ws = torch.randn(2, S.num_ws, 4, generator=torch.Generator().manual_seed(0))
    return S(ws, noise=Noise("const")).image


@pytest.mark.parametrize("name", GROWING)
def test_a_picture_grows_from_blocks_of_pixels(name):
    S = build(name)
    for level, resolution in ((2, 4), (3, 8), (4, 16)):
        image = picture(S, level)
        assert image.shape == (2, 3, 16, 16)
        torch.testing.assert_close(double(halve(image, 16 // resolution), 16 // resolution), image)
    assert not torch.equal(double(halve(image)), image)


@pytest.mark.parametrize("name", GROWING)
def test_fading_begins_and_ends_without_a_jump(name):
    S = build(name)
    before, begun, almost, after = (picture(S, level) for level in (3, 3 + 1e-4, 4 - 1e-4, 4))
    torch.testing.assert_close(begun, before, atol=1e-3, rtol=0)
    torch.testing.assert_close(almost, after, atol=1e-3, rtol=0)
    assert (after - before).abs().max() > 1e-2


def test_the_discriminator_fades_without_a_jump_and_blurs_reals_alike():
    D = DISCRIMINATORS.build({"name": "progan", **SMALL}).requires_grad_(False)
    real = ImageBatch(torch.randn(4, 3, 16, 16))
    logits = []
    for level in (3, 3 + 1e-5, 4 - 1e-5, 4):
        D.grow(level)
        logits.append(D(D.prepare(real)))
    torch.testing.assert_close(logits[1], logits[0], atol=1e-3, rtol=0)
    torch.testing.assert_close(logits[2], logits[3], atol=1e-3, rtol=0)
    assert D.prepare(real) is real
    D.grow(3.5)
    shown = D.prepare(real).image
    torch.testing.assert_close(shown, (real.image + double(halve(real.image))) / 2)


def test_growth_is_saved_and_bounded():
    grown, fresh = Growth(Size(16, 16)), Growth(Size(16, 16))
    assert grown.stage.shrunk == 1 and grown.stage.alpha == 1
    grown.set(3.25)
    fresh.load_state_dict(grown.state_dict())
    assert fresh.stage.top == 2 and fresh.stage.alpha == pytest.approx(0.25)
    assert grown.stage.shrunk == 1
    grown.set(9)
    assert grown.stage.top == 2
    grown.set(0)
    assert grown.stage.shrunk == 4 and grown.stage.top == 0


def progress(kimg: float) -> Progress:
    return Progress(images=round(kimg * 1000), batch=4, step=0, real_sign=0.0, current=0.0)


def test_the_paper_holds_then_fades():
    schedule = SCHEDULES.build({"name": "progressive"})
    levels = [schedule.value(progress(kimg)) for kimg in (0, 600, 900, 1200, 1800, 2100)]
    assert levels == pytest.approx([3, 3, 3.5, 4, 4, 4.5])


def test_learning_rates_follow_the_resolution():
    schedule = SCHEDULES.build({"name": "by_resolution", "values": [[8, 1.0], [16, 2.0], [32, 3.0]]})
    assert [schedule.value(progress(k)) for k in (0, 600, 601, 1200, 1801)] == [1, 1, 2, 2, 3]
    with pytest.raises(UserError, match="pairs of a resolution"):
        SCHEDULES.build({"name": "by_resolution", "values": []})
    with pytest.raises(UserError, match="start >= 4"):
        SCHEDULES.build({"name": "progressive", "start": 2})


@pytest.mark.parametrize("size", [8, 64, 128, 256, "512x288", "1024x576", "96x64"])
@pytest.mark.parametrize("start", [4, 8])
def test_the_rate_is_that_of_the_pixels_in_training(size, start):
    """To the end of a long run and for any shape of pictures: of the longer side that takes part."""
    values = [[8, 1.0], [128, 1.5], [256, 2.0], [512, 3.0]]
    growth = SCHEDULES.build({"name": "progressive", "start": start})
    rates = SCHEDULES.build({"name": "by_resolution", "values": values, "start": start})
    grown = Growth(Size.of(size))
    for kimg in range(0, 25_000, 150):
        at = replace(progress(kimg), size=Size.of(size))
        grown.set(growth.value(at))
        pixels = Size.of(size).longer // grown.stage.shrunk
        assert rates.value(at) == max((rate for least, rate in values if least <= pixels), default=1.0)


def test_a_cosine_begins_and_ends_flat():
    schedule = SCHEDULES.build({"name": "cosine", "start": 1.0, "end": 0.25, "end_kimg": 100.0})
    values = [schedule.value(progress(k)) for k in (0, 50, 100, 200)]
    assert values == pytest.approx([1, 0.625, 0.25, 0.25])


@pytest.mark.parametrize("name", GROWING)
def test_odd_sizes_are_refused(name):
    with pytest.raises(UserError, match="the nearest that fit are 104, 96, 112"):
        SYNTHESES.build({"name": name, "resolution": 100})
    with pytest.raises(UserError, match="no channel"):
        SYNTHESES.build({"name": name, "resolution": 16, "channel_base": 8})
