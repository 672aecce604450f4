"""The status line: means over the steps since the last one, and signs of health. Rank 0 alone."""

from __future__ import annotations

import time

import torch

from stylegenes.training.draws import draw_codes, rng_for
from stylegenes.training.feed import to_float
from stylegenes.training.health import Health, Signs, pixel_diversity
from stylegenes.training.images import render
from stylegenes.training.report import Reporter, Tick, memory_in_use
from stylegenes.training.results import PhaseMeans, PhaseResult
from stylegenes.training.run import Run

PROBE = 16
"""Pictures whose diversity is watched."""
LEAST_DIVERSITY = 0.01
"""Of reals: about one level of 255, below which a share of it says nothing."""


class StatusLine:
    """Turns results of steps into status lines.

    Args:
        run: what they are about.
        reporter: what tells them.
    """

    def __init__(self, run: Run, reporter: Reporter) -> None:
        self.run = run
        self.reporter = reporter
        self.health = Health()
        rng = rng_for(run.config.seed, "probe")
        self.codes = draw_codes(run.players.G, PROBE, rng=rng, mixing=0.0, pool=run.pool)
        data = run.data
        indices = torch.randint(len(data), (4 * PROBE,), generator=rng)
        self._real_diversity = pixel_diversity(to_float(data.images(indices), torch.device("cpu")))
        self._told = False
        self.begin()

    def begin(self) -> None:
        """Forget the steps since the last status line: what follows is counted from here on."""
        self._means = PhaseMeans()
        self._steps, self._then = 0, time.monotonic()

    def after_step(self, results: list[PhaseResult]) -> None:
        """Take in the results of a step; a status line when it is time, the first one at once."""
        self._steps += 1
        self._means.add(results)
        elapsed = time.monotonic() - self._then
        if elapsed > self.run.config.intervals.tick_seconds or not self._told:
            self._told = True
            self.tick()

    def tick(self) -> None:
        """A status line about the steps since the last one."""
        run, counters = self.run, self.run.counters
        means = self._means.read()
        gradients = {mean.name: float(mean.grad_norm) for mean in means}
        main = next(mean for mean in means if mean.name == "D main")
        gap = float(main.real_logit - main.fake_logit)
        vitals = run.players.G.latent.vital_signs()
        signs = Signs(
            gap=gap,
            real_sign=float(main.real_sign),
            grad_G=gradients["G main"],
            grad_D=gradients["D main"],
            diversity=self._diversity(),
            kimg=counters.images / 1000,
            losses={mean.name: float(mean.loss) for mean in means},
            images=self._steps * run.plan.total,
            gene_usage=vitals.get("gene_usage", 1.0),
        )
        rate = signs.images / max(time.monotonic() - self._then, 1e-9)
        self.reporter.tick(
            Tick(
                kimg=counters.images / 1000,
                step=counters.step,
                rate=rate,
                eta=(run.total_images - counters.images) / max(rate, 1e-9),
                losses=signs.losses,
                real_sign=signs.real_sign,
                gap=gap,
                augment_p=counters.augment_p,
                gradients=gradients,
                vitals={"diversity": signs.diversity, **vitals},
                memory=memory_in_use(run.ranks.device),
                seconds=counters.seconds,
                rollbacks=counters.rollbacks,
                health=self.health.verdict(signs),
                metrics=run.metrics,
            )
        )
        self.begin()

    def _diversity(self) -> float:
        """Pixel diversity of fixed codes, as a share of the data's."""
        images = render(self.run.players.G, self.codes.code, self.codes.condition, micro=4)
        return pixel_diversity(images) / max(self._real_diversity, LEAST_DIVERSITY)
