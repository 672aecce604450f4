"""Survey: codes drawn from the prior, expressed as pictures, classified, and kept on disk (Eq. 7).

The expensive step of every analysis, done once. Shard k of a survey is a function of its plan and k alone, so that it
may be made by any process, in any order, again after a kill, and so that a longer survey begins with a shorter one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stylegenes.classified import classify_codes
from stylegenes.discriminators import Discriminator
from stylegenes.draws import Draws, SurveyPlan, check_shape, pack
from stylegenes.errors import UserError
from stylegenes.files import read_record, write_json
from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.progress import OnStep, silent_step
from stylegenes.records import Condition, Noise, NoiseMode
from stylegenes.sealed import load_sealed, save_sealed
from stylegenes.shares import Share

_SHARD, _SHARD_NAME = "shard-{:06d}.safetensors", re.compile(r"shard-(\d{6,18})\.safetensors", re.ASCII)
_SEED_STRIDE = 1_000_003  # a prime: the seeds of two surveys with neighboring seeds share no shard


class Survey:
    """A survey on disk: a plan and its shards, read one at a time.

    Raises:
        UserError: when the folder holds no survey.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / "plan.json"
        if not path.is_file():
            raise UserError(f"{self.folder} holds no survey (no plan.json); make one with: stylegenes survey MODEL")
        self.plan = read_record(path, SurveyPlan)

    def indices(self) -> list[int]:
        """Numbers of the finished shards, in order; files that are named otherwise, as copies are, do not count."""
        names = map(_SHARD_NAME.fullmatch, (path.name for path in self.folder.glob("shard-*.safetensors")))
        return sorted(int(name[1]) for name in names if name)

    def __len__(self) -> int:
        """Classified pictures on disk."""
        return len(self.indices()) * self.plan.shard_size

    def path(self, index: int) -> Path:
        """Where a shard lies, or would lie."""
        return self.folder / _SHARD.format(index)

    def shard(self, index: int) -> Draws:
        """Read one shard.

        Raises:
            UserError: when the file is damaged.
        """
        path = self.path(index)
        try:
            draws = Draws(**load_sealed(path, is_old=lambda about: not about).tensors)
            check_shape(draws, self.plan)
            return draws
        except (UserError, TypeError) as error:
            raise UserError(
                f"{path} is damaged ({error}); remove it and run the survey again, which makes it anew"
            ) from error

    def shards(self) -> Iterator[Draws]:
        """Read all shards, one at a time."""
        return map(self.shard, self.indices())

    def load(self) -> Draws:
        """All draws at once: about 2 A + num_genes bytes a picture.

        Raises:
            UserError: when no shard is finished yet.
        """
        shards = list(self.shards())
        if not shards:
            raise UserError(f"{self.folder} holds no finished shard yet; run the survey again to go on with it")
        return Draws(*(torch.cat(columns) for columns in zip(*map(_columns, shards))))


@dataclass(frozen=True)
class Surveyor:
    """The networks that a survey needs, in eval mode on one device.

    Attributes:
        generator: makes the pictures.
        classifier: of their attributes.
        discriminator: says how real they look, or None.
        batch_size: pictures made at once; the draws do not depend on it beyond float rounding, except for random noise,
            which is drawn for a batch, and the realness by a discriminator that compares the pictures of a batch.
        labels: float32 [M, L], for a model with labels: every picture takes one of these rows, each as likely. The
            labels of the data give its frequencies, an identity matrix takes all classes alike.
    """

    generator: Generator
    classifier: AttributeClassifier
    discriminator: Discriminator | None = None
    batch_size: int = 32
    labels: torch.Tensor | None = None

    def plan(
        self, *, seed: int = 0, shard_size: int = 1024, psi: float = 1.0, noise: NoiseMode = "const"
    ) -> SurveyPlan:
        """The plan of a survey by these networks.

        Args:
            seed: of the whole survey.
            shard_size: pictures in a shard.
            psi: truncation.
            noise: `const` makes a genotype's picture unique.

        Raises:
            UserError: when there are no labels for a model that needs them, or others than it takes.
        """
        length = 0 if self.labels is None else self.labels.shape[1]
        if length != self.generator.label_dim or (self.labels is not None and len(self.labels) == 0):
            raise UserError(
                f"this model takes labels of length {self.generator.label_dim}, the survey was given labels of length "
                f"{length} to draw from"
            )
        return SurveyPlan(
            model=fingerprint(self.generator),
            classifier=self.classifier.weights_hash,
            discriminator="" if self.discriminator is None else fingerprint(self.discriminator),
            attributes=list(self.classifier.attributes),
            num_genes=self.generator.latent.num_genes,
            num_variants=self.generator.latent.num_variants,
            seed=seed,
            shard_size=shard_size,
            psi=psi,
            noise=noise,
            labels="" if self.labels is None else _hash_of(self.labels),
        )

    @torch.no_grad()
    def draw(self, plan: SurveyPlan, index: int) -> Draws:
        """Make shard `index` of `plan`."""
        rng = torch.Generator().manual_seed(shard_seed(plan, index))
        code = self.generator.sample(plan.shard_size, rng)
        label = self._draw_labels(len(code), rng)
        noise = Noise(plan.noise, generator=noise_rng(rng, code.device))
        batches = zip(code.split(self.batch_size), label.split(self.batch_size))
        parts = [self._judge(batch, rows, plan, noise) for batch, rows in batches]
        probability, realness = (torch.cat(columns).cpu() for columns in zip(*parts))
        return Draws(pack(code, plan), probability, realness, label)

    def _draw_labels(self, n: int, rng: torch.Generator) -> torch.Tensor:
        """Labels [n, L]; drawn after the codes, so that these are the same with and without."""
        if self.labels is None:
            return torch.zeros(n, 0)
        return self.labels.float().cpu()[torch.randint(len(self.labels), (n,), generator=rng)]

    def _judge(
        self, code: torch.Tensor, label: torch.Tensor, plan: SurveyPlan, noise: Noise
    ) -> tuple[torch.Tensor, torch.Tensor]:
        condition = Condition(label=label.to(code.device)) if label.shape[1] else None
        found = classify_codes(self.generator, self.classifier, code, condition, noise=noise, psi=plan.psi)
        probability = found.probability.to(torch.float16)
        if self.discriminator is None:
            return probability, probability.new_zeros(len(code), 0, dtype=torch.float32)
        return probability, self.discriminator(found.pictures).mean(dim=1, keepdim=True).float()


OnShard = Callable[[int, Draws], bool]
"""Called with the number and the draws of every shard, old or new; True ends the survey early."""


def conduct(
    surveyor: Surveyor,
    folder: str | Path,
    plan: SurveyPlan,
    *,
    num_draws: int,
    part: int = 0,
    num_parts: int = 1,
    share: Share | None = None,
    on_shard: OnShard | None = None,
    on_step: OnStep = silent_step,
) -> Survey:
    """Make the missing shards of a survey of at least `num_draws` pictures; the same call again goes on after a kill.

    Args:
        surveyor: the networks.
        folder: where shards lie; made if absent.
        plan: what to draw; must equal the folder's plan if it has one.
        num_draws: pictures wanted, rounded up to whole shards.
        part: which part this call is; it makes shards part, part + num_parts, ...
        num_parts: into how many parts the survey is divided, which know nothing of each other.
        share: of several processes that make this part together and agree on what is missing; None for one process.
        on_shard: sees every shard of this part, finished ones first; returns True to stop early. Several processes
            make as many shards at a time as they are, all look at all of them, and what lies beyond the end is deleted.
        on_step: told the shards of this part that are there, and all of them, counted as if the others were as fast.

    Raises:
        UserError: when the folder holds a survey of another plan, the part is out of range, or the discriminator cannot
            judge batches or shards of this size.
    """
    if not 0 <= part < num_parts:
        raise UserError(f"part {part} of {num_parts} does not exist; parts count from 0 to {num_parts - 1}")
    _check_sizes(num_draws, plan.shard_size, surveyor)
    share = share or Share()
    share.meet_in(Path(folder))
    survey = _open_or_begin(Path(folder), plan)
    wanted = range(part, -(-num_draws // plan.shard_size), num_parts)
    work = _Work(surveyor, survey, wanted, share, on_step)
    if on_shard is None:
        work.make(work.missing)
    else:
        work.make_and_look(on_shard)
    share.wait()
    return survey


def _check_sizes(num_draws: int, shard_size: int, surveyor: Surveyor) -> None:
    batch = surveyor.batch_size
    if min(num_draws, shard_size, batch) < 1:
        raise UserError(
            "a survey needs at least one picture, in shards and batches of at least one; got "
            f"{num_draws}, {shard_size} and {batch}"
        )
    group = None if surveyor.discriminator is None else surveyor.discriminator.group_size
    if group and any(piece > group and piece % group for piece in (min(batch, shard_size), shard_size % batch)):
        raise UserError(
            f"this model's discriminator compares pictures in groups of {group}, and shards of {shard_size} in batches "
            f"of {batch} are not made of such groups; take multiples of {group} (--shard, --batch)"
        )


class _Work:
    """The shards of one call, and how the processes divide those that are missing.

    Args:
        surveyor: the networks.
        survey: where shards lie.
        wanted: numbers of the shards.
        share: of several processes.
        on_step: told how many of the shards are there.
    """

    def __init__(
        self, surveyor: Surveyor, survey: Survey, wanted: Sequence[int], share: Share, on_step: OnStep
    ) -> None:
        self.surveyor, self.survey, self.wanted, self.share, self.on_step = surveyor, survey, wanted, share, on_step
        found = set(survey.indices())
        done = set(share.agree([index for index in wanted if index in found]))
        self.done = sorted(done)
        self.missing = [index for index in wanted if index not in done]
        self._there = len(done)

    def make(self, shards: Sequence[int]) -> None:
        """Make this process's part of some shards."""
        for index in self.share.of(shards):
            _make(self.surveyor, self.survey, index)
            self._there = min(self._there + self.share.count, len(self.wanted))
            self.on_step(self._there, len(self.wanted))

    def make_and_look(self, on_shard: OnShard) -> None:
        """Make a shard a process, look at all of them in order, and so on until it is enough."""
        for index in self.done:
            if on_shard(index, self.survey.shard(index)):
                return
        for start in range(0, len(self.missing), self.share.count):
            shards = self.missing[start : start + self.share.count]
            self.make(shards)
            self.share.wait()
            for place, index in enumerate(shards):
                if on_shard(index, self.survey.shard(index)):
                    self.share.wait()
                    self._discard(shards[place + 1 :])
                    return

    def _discard(self, shards: Sequence[int]) -> None:
        """Delete shards that one process alone would not have made."""
        if self.share.first:
            for index in shards:
                self.survey.path(index).unlink()


def fingerprint(module: nn.Module) -> str:
    """sha256 over the names and bytes of a module's state."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name}{tensor.dtype}{list(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def noise_rng(rng: torch.Generator, device: torch.device) -> torch.Generator:
    """A random generator for noise, seeded by the next number of the one that drew codes and labels.

    A seed that both share would give noise which is the codes over again.

    Args:
        rng: on the CPU, after all other draws.
        device: where noise is drawn.
    """
    return torch.Generator(device).manual_seed(int(torch.randint(2**62, (), generator=rng)))


def shard_seed(plan: SurveyPlan, index: int) -> int:
    """The seed of one shard, a function of (seed, index)."""
    return (plan.seed * _SEED_STRIDE + index) % 2**63


def _make(surveyor: Surveyor, survey: Survey, index: int) -> Draws:
    draws = surveyor.draw(survey.plan, index)
    if not draws.probability.isfinite().all():
        raise UserError(
            "the classifier gives probabilities that are no numbers; see whether the model's pictures are sound "
            "(stylegenes sample), and the classifier's weights"
        )
    columns = {field.name: getattr(draws, field.name) for field in dataclasses.fields(draws)}
    save_sealed(survey.path(index), columns)
    return draws


def _open_or_begin(folder: Path, plan: SurveyPlan) -> Survey:
    if not (folder / "plan.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "plan.json", dataclasses.asdict(plan))
    survey = Survey(folder)
    if survey.plan != plan:
        differing = [
            f"{key}: {_brief(old)} there, {_brief(new)} now" for key, old, new in _differences(survey.plan, plan)
        ]
        raise UserError(
            f"{folder} holds another survey ({'; '.join(differing)}); to keep it, rename that folder; to make "
            "the new one in its place, remove it"
        )
    return survey


def _differences(old: SurveyPlan, new: SurveyPlan) -> Iterator[tuple[str, Any, Any]]:
    before, after = dataclasses.asdict(old), dataclasses.asdict(new)
    return ((key, before[key], after[key]) for key in before if before[key] != after[key])


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{text[:12]}…"


def _columns(draws: Draws) -> tuple[torch.Tensor, ...]:
    return tuple(getattr(draws, field.name) for field in dataclasses.fields(draws))


def _hash_of(labels: torch.Tensor) -> str:
    rows = labels.float().cpu().contiguous()
    return hashlib.sha256(f"{list(rows.shape)}".encode() + rows.numpy().tobytes()).hexdigest()
