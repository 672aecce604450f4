"""What schedules set: the Gaussian that the discriminator sees through, factors on penalties, Adam's decays."""

import math

import pytest
import torch
from tiny_run import TinyData, tiny_config

from stylegenes.recipes import RECIPES
from stylegenes.training import Machine, train
from stylegenes.training.blur import gaussian_blur
from stylegenes.training.loop import Loop
from stylegenes.training.schedules import SCHEDULES, Progress


def test_a_point_becomes_a_gaussian(rng):
    image = torch.zeros(1, 2, 33, 33)
    image[:, 0, 16, 16] = 1
    seen = gaussian_blur(image, 2.5)
    profile = seen[0, 0, 16] / seen[0, 0, 16, 16]
    assert profile[19] == pytest.approx(math.exp(-0.5 * (3 / 2.5) ** 2), rel=1e-4)
    assert seen[0, 0].sum() == pytest.approx(1, rel=1e-4) and not seen[0, 1].any()
    torch.testing.assert_close(seen, seen.transpose(2, 3))
    assert gaussian_blur(image, 0.3) is image


def test_schedules_reach_the_players(tmp_path, monkeypatch):
    """Blur and penalties as they are at every step, and back to none."""
    seen = []

    class Watched(Loop):
        def _set_quantities(self) -> None:
            super()._set_quantities()
            seen.append((self.players.blur, self.players.penalty_scale))

    monkeypatch.setattr("stylegenes.training.launch.Loop", Watched)
    ramp = {"name": "ramp", "start": 2.0, "end": 0.0, "end_kimg": 0.016}
    overrides = [f"{key}={ramp}".replace("'", '"') for key in ("blur", "penalty_scale")]
    train(tiny_config(*overrides, "kimg=0.032"), tmp_path, data=TinyData(), machine=Machine("cpu"), quiet=True)
    assert seen == [(2.0, 2.0), (1.0, 1.0), (0.0, 0.0), (0.0, 0.0)]


def test_a_schedule_of_beta2_reaches_adam_with_the_lazy_correction(tmp_path, monkeypatch):
    """R1 every third step corrects the discriminator's decay, as it corrects the constant."""
    seen = []

    class Watched(Loop):
        def _set_quantities(self) -> None:
            super()._set_quantities()
            seen.append({k: o.param_groups[0]["betas"] for k, o in self.players.optimizers.items()})

    monkeypatch.setattr("stylegenes.training.launch.Loop", Watched)
    ramp = '{"name": "ramp", "start": 0.9, "end": 0.99, "end_kimg": 0.016}'
    config = tiny_config(
        f"optimizer.beta2={ramp}", "regularizers.path_length=none", "regularizers.r1.interval=3", "kimg=0.032"
    )
    train(config, tmp_path, data=TinyData(), machine=Machine("cpu"), quiet=True)
    wanted = [0.9, 0.945, 0.99, 0.99]
    assert [betas["G"] for betas in seen] == [(0.0, pytest.approx(b)) for b in wanted]
    assert [betas["D"] for betas in seen] == [(0.0, pytest.approx(b**0.75)) for b in wanted]


def test_r3gan_raises_beta2_as_its_authors_do():
    schedule = SCHEDULES.build(RECIPES["r3gan256"]().optimizer.beta2)
    ask = [schedule.value(Progress(images, 256, 0, 0.0, 0.0)) for images in (0, 10_000_000, 20_000_000, 25_000_000)]
    assert ask == pytest.approx([0.9, 0.945, 0.99, 0.99])
