"""One training step: the phases of both players, micro-batch by micro-batch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from stylegenes.errors import UserError
from stylegenes.records import Condition, ImageBatch, Noise, NoiseMode
from stylegenes.training.augment import augment_alike
from stylegenes.training.blur import gaussian_blur
from stylegenes.training.draws import Codes, Cut, Styles, draw_codes, express, rng_for
from stylegenes.training.graphs import Graphs, PhaseInputs
from stylegenes.training.players import Phase, Players
from stylegenes.training.regularizers import Fakes, PenaltyInputs
from stylegenes.training.results import PhaseResult, Tally
from stylegenes.training.sync import Ranks, average_gradients

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepSettings:
    """What a step needs to know besides the players.

    Attributes:
        total: images in a step over all ranks.
        accumulation: micro-batches of one rank in a phase, at the start.
        group: samples that a micro-batch must hold a multiple of.
        mixing: probability of style mixing.
        noise: how noise inputs are filled.
        seed: start of every random choice.
        camera_noise: noise on the cameras that the discriminator is told, in standard deviations of the pool's.
    """

    total: int
    accumulation: int
    group: int
    mixing: float
    noise: NoiseMode
    seed: int
    camera_noise: float = 0.0


class Stepper:
    """Takes training steps.

    Args:
        players: the networks and what belongs to them.
        ranks: the processes.
        settings: sizes and randomness.
        pool: labels [M, L] and cameras [M, 25] that the fakes' are drawn from, where the run is conditional.
        announce: told the name of each phase as it begins.
        graphs: replays phases that run the same way again and again; None runs every one as it is.
    """

    def __init__(
        self,
        players: Players,
        ranks: Ranks,
        settings: StepSettings,
        *,
        pool: Condition | None = None,
        announce: Callable[[str], None] = lambda phase: None,
        graphs: Graphs | None = None,
    ) -> None:
        self.players = players
        self.graphs = graphs
        self.ranks = ranks
        self.settings = settings
        self.pool = pool or Condition()
        camera = self.pool.camera
        self.camera_spread = None
        if settings.camera_noise and camera is not None:
            spread = camera.std(dim=0, correction=0) * settings.camera_noise
            self.camera_spread = spread.to(ranks.device)
        self.announce = announce
        self.accumulation = settings.accumulation

    @property
    def micro(self) -> int:
        """Images in one micro-batch."""
        return self.settings.total // self.ranks.count // self.accumulation

    def forget_graphs(self) -> None:
        """Record phases anew: a state was restored, whose tensors lie elsewhere, or memory ran out."""
        if self.graphs is not None:
            self.graphs.forget()

    def step(self, real: ImageBatch, *, step: int, epoch: int = 0, stop: bool = False) -> list[PhaseResult]:
        """All phases that are due.

        Args:
            real: this rank's share of the reals, samples rank, rank + ranks, ... of the whole batch.
            step: steps done so far.
            epoch: changes every random choice; raised after a roll-back.
            stop: whether this rank wishes to stop after the step.

        Raises:
            UserError: when memory runs out and the micro-batch cannot be halved once more.
        """
        due = [phase for phase in self.players.phases if step % phase.interval == 0]
        return [self.phase(phase, real, key=(epoch, step, phase.name), stop=stop) for phase in due]

    def phase(self, phase: Phase, real: ImageBatch, *, key: tuple[int | str, ...], stop: bool) -> PhaseResult:
        """One optimizer step of one player; `key` makes its random choices.

        Args:
            phase: which loss, of which player.
            real: this rank's share of the reals.
            key: makes all random choices.
            stop: whether this rank wishes to stop after the step.
        """
        self.announce(phase.name)
        for player in ("G", "D"):
            self.players.network(player).requires_grad_(False)
        parameters = self.players.parameters(phase.player)
        for parameter in parameters:
            parameter.requires_grad_(True)
        flat = self._run(phase, self._inputs(real, key, stop), key, parameters)
        return PhaseResult.read(flat, phase.name)

    def _inputs(self, real: ImageBatch, key: tuple[int | str, ...], stop: bool) -> PhaseInputs:
        codes, device = self._codes(key), self.ranks.device
        return PhaseInputs(real, codes, torch.full((1,), float(stop), device=device), self._generators(key))

    def _generators(self, key: tuple[int | str, ...]) -> list[torch.Generator]:
        """One for each micro-batch, keyed by its place in the whole batch: several processes draw as one does."""
        seed, device = self.settings.seed, self.ranks.device
        return [rng_for(seed, *key, cut.first, cut.stride, device=device) for cut in self._cuts()]

    def _cuts(self) -> list[Cut]:
        return Cut(self.ranks.rank, self.ranks.count).split(self.accumulation)

    def _run(
        self,
        phase: Phase,
        inputs: PhaseInputs,
        key: tuple[int | str, ...],
        parameters: list[torch.nn.Parameter],
    ) -> torch.Tensor:
        """Gradients, their average, the optimizer's step; a flat `PhaseResult`, since graphs give back one tensor.

        Processes talk between gradients and step, which is no part of a graph.
        """

        def gather(inputs: PhaseInputs) -> torch.Tensor:
            return self._gather(phase, inputs, key)

        def whole(inputs: PhaseInputs) -> torch.Tensor:
            return self._finish(phase, gather(inputs))

        if self.graphs is None:
            return whole(inputs)
        manner = (self.accumulation, self.players.manner)
        if self.ranks.count == 1:
            return self.graphs.run(phase.name, manner, whole, inputs, parameters)
        return self._finish(phase, self.graphs.run(phase.name, manner, gather, inputs, parameters))

    def _gather(self, phase: Phase, inputs: PhaseInputs, key: tuple[int | str, ...]) -> torch.Tensor:
        """Back-propagate, again with half the micro-batch whenever memory runs out; the phase's flat `Tally`.

        How a rank cuts its share changes neither its samples nor their groups, so the ranks need not agree.
        """
        while True:
            self.players.optimizers[phase.player].zero_grad(set_to_none=True)
            try:
                return self._accumulate(phase, inputs).flat()
            except torch.OutOfMemoryError:
                if _recording():
                    raise
                before = self.micro
            self._halve(before)
            self.forget_graphs()
            inputs = replace(inputs, generators=self._generators(key))
            torch.cuda.empty_cache()

    def _finish(self, phase: Phase, statistics: torch.Tensor) -> torch.Tensor:
        """Average over ranks, settle statistics and step; a flat `PhaseResult`."""
        self.announce(f"{phase.name}, averaging gradients")
        averages = average_gradients(self.ranks, self.players.parameters(phase.player), statistics)
        tally = self._empty_tally(phase).read(averages.extras)
        self._settle(phase, tally)
        self.players.step(phase.player, recording=_recording())
        return PhaseResult.of(tally, averages.grad_norm, phase.name).flat()

    def _halve(self, micro: int) -> None:
        if micro % (2 * self.settings.group):
            raise UserError(
                f"out of memory on {self.ranks.device} with micro-batches of {micro}, which cannot be halved (a "
                f"multiple of {self.settings.group} is needed); use a smaller model, resolution or more memory"
            )
        self.accumulation *= 2
        log.warning(
            "out of memory: micro-batch %d -> %d (x%d accumulation), the total of %d stays",
            micro, self.micro, self.accumulation, self.settings.total,
        )  # fmt: skip

    def _accumulate(self, phase: Phase, inputs: PhaseInputs) -> Tally:
        """Back-propagate the phase's loss over this rank's micro-batches, each weighted by its share."""
        tally = self._empty_tally(phase)
        tally.stop += inputs.stop[0]
        for part, (cut, rng) in enumerate(zip(self._cuts(), inputs.generators, strict=True)):
            local = slice(part, None, self.accumulation)
            MicroBatch(self, phase, inputs.real[local], inputs.codes[cut.slice], rng, tally).backward()
        return tally

    def _codes(self, key: tuple[int | str, ...]) -> Codes:
        rng = rng_for(self.settings.seed, *key, "codes")
        settings = self.settings
        with torch.no_grad():
            codes = draw_codes(
                self.players.G,
                settings.total,
                rng=rng,
                mixing=settings.mixing,
                pool=self.pool,
                pose_swap=self.players.pose_swap,
            )
        # A graph always mixes, or never.
        always = self.graphs is not None and settings.mixing > 0
        return codes.mixed(self.players.G.synthesis.num_ws) if always else codes

    def _empty_tally(self, phase: Phase) -> Tally:
        G = self.players.G
        zero = torch.zeros((), device=self.ranks.device, dtype=next(G.parameters()).dtype)
        stop, loss, real_sign, real_logit, fake_logit = (zero.clone() for _ in range(5))
        w, synthesis = zero.new_zeros(G.latent.w_dim), zero.new_zeros(G.synthesis.observed().shape)
        observed = [zero.new_zeros(regularizer.observed().shape) for regularizer in phase.regularizers]
        return Tally(stop, loss, real_sign, real_logit, fake_logit, w, synthesis, observed)

    def _settle(self, phase: Phase, averaged: Tally) -> None:
        """Hand the averaged statistics to those who keep them."""
        if phase.name == "D main":
            self.players.G.latent.track(averaged.w[None])
            self.players.G.synthesis.settle(averaged.synthesis)
        for regularizer, observed in zip(phase.regularizers, averaged.observed, strict=True):
            regularizer.settle(observed)


class MicroBatch:
    """One micro-batch of one phase: what is drawn for it, and its backward passes.

    Args:
        stepper: the networks, the processes and the settings.
        phase: which loss, of which player.
        real: the reals of this micro-batch.
        codes: of its fakes, with what they are conditioned on.
        rng: of all other draws.
        tally: sums up what is measured.
    """

    def __init__(
        self,
        stepper: Stepper,
        phase: Phase,
        real: ImageBatch,
        codes: Codes,
        rng: torch.Generator,
        tally: Tally,
    ) -> None:
        self.stepper, self.phase, self.codes, self.rng, self.tally = stepper, phase, codes, rng, tally
        self.players = stepper.players
        self.real = self.players.D.prepare(real)
        self._seen: Fakes | None = None
        self.share = 1 / stepper.accumulation

    def backward(self) -> None:
        """Back-propagate the adversarial loss and the penalties of the phase."""
        if self.phase.main:
            self._discriminator() if self.phase.player == "D" else self._generator()
        for i, regularizer in enumerate(self.phase.regularizers):
            with self.stepper.ranks.fabric.autocast():
                inputs = PenaltyInputs(self.players.G, self.critic, self.real, self.draw_fakes, self.rng, self.styles)
                penalty = regularizer.penalty(inputs)
            self._add(penalty.mean() * (self.phase.interval * self.players.penalty_scale))
            self.tally.observed[i] += regularizer.observed().to(self.tally.w) * self.share

    def _discriminator(self) -> None:
        loss = self.players.loss
        with torch.no_grad(), self.stepper.ranks.fabric.autocast():
            fakes = self._seen = self.draw_fakes()
        self.tally.w += fakes.w.float().mean(dim=0).to(self.tally.w) * self.share
        self.tally.synthesis += self.players.G.synthesis.observed().to(self.tally.w) * self.share
        if not loss.paired:
            self._add(self._judged(fakes.batch, loss.on_fake, real=False))
            self._add(self._judged(self.real, loss.on_real, real=True))
            return
        with self.stepper.ranks.fabric.autocast():
            real, fake = self._logits(self.real, real=True), self._logits(fakes.batch, real=False)
            value = loss.discriminator(real, fake).mean()
        self._add(value)

    def _generator(self) -> None:
        loss = self.players.loss
        with self.stepper.ranks.fabric.autocast():
            real = None
            if loss.paired:
                with torch.no_grad():
                    real = self._logits(self.real, real=True)
            value = loss.generator(self._logits(self.draw_fakes().batch, real=False), real).mean()
        self._add(value)

    def _judged(self, batch: ImageBatch, term: Callable[[torch.Tensor], torch.Tensor], *, real: bool) -> torch.Tensor:
        with self.stepper.ranks.fabric.autocast():
            return term(self._logits(batch, real=real)).mean()

    def _logits(self, batch: ImageBatch, *, real: bool) -> torch.Tensor:
        logits = self.critic(batch)
        seen = logits.detach().to(self.tally.w)
        if real:
            self.tally.real_sign += seen.sign().mean() * self.share
            self.tally.real_logit += seen.mean() * self.share
        else:
            self.tally.fake_logit += seen.mean() * self.share
        return logits

    def _add(self, loss: torch.Tensor) -> None:
        (loss * self.share).backward()
        self.tally.loss += loss.detach().to(self.tally.w) * self.share

    def critic(self, batch: ImageBatch) -> torch.Tensor:
        """Logits [n, K] of blurred and augmented pictures."""
        width = batch.image.shape[-1]
        blurred = [gaussian_blur(p, self.players.blur * p.shape[-1] / width) for p in batch.pictures]
        seen = augment_alike(self.players.augment, blurred, self.rng)
        return self.players.D(replace(batch.with_pictures(seen), condition=self._told(batch.condition)))

    def _told(self, condition: Condition) -> Condition:
        """The condition with noise on its cameras [n, 25], where that is wanted."""
        camera, spread = condition.camera, self.stepper.camera_spread
        if camera is None or spread is None:
            return condition
        noise = torch.randn(camera.shape, generator=self.rng, device=camera.device, dtype=camera.dtype)
        return replace(condition, camera=camera + noise * spread)

    def styles(self) -> torch.Tensor:
        """ws [n, num_ws, w_dim] of this micro-batch's codes, with their graph."""
        return express(self.players.G, self.codes).ws

    def draw_fakes(self, shrink: int = 1) -> Fakes:
        """Fakes from the first 1 / `shrink` of this micro-batch's codes; without a graph, those already made."""
        if self._seen is not None and shrink == 1 and not torch.is_grad_enabled():
            return self._seen
        codes = self.codes[: max(1, len(self.codes) // shrink)]
        styles = _with_path(express(self.players.G, codes))
        noise = Noise(self.stepper.settings.noise, generator=self.rng)
        batch = self.players.G.synthesis(styles.ws, codes.condition, noise=noise)
        return Fakes(styles.w, styles.ws, replace(batch, condition=codes.condition))


def _recording() -> bool:
    return torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()


def _with_path(styles: Styles) -> Styles:
    """Styles whose ws carry gradients even where nothing upstream of them is trained (path length needs that)."""
    if styles.ws.requires_grad or not torch.is_grad_enabled():
        return styles
    return Styles(styles.w, styles.ws.detach().requires_grad_())
