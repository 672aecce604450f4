"""Evaluating a subject: metrics grouped by what they need, so that one pass of fakes serves all of them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from stylegenes.data.protocols import LabeledImages, LabelSource
from stylegenes.errors import UserError
from stylegenes.generator import Generator, check_psi
from stylegenes.metrics.corners import own_corner
from stylegenes.metrics.distribution import DISTRIBUTION_METRICS, floors_of, need_enough
from stylegenes.metrics.features import FeaturePass, FeatureSet
from stylegenes.metrics.latent_metrics import LATENT_METRICS, LatentContext
from stylegenes.metrics.record import Files, Floor, MetricRecord, Provenance
from stylegenes.metrics.row_pass import RowPass
from stylegenes.metrics.sources import GeneratorSource, ImageSource, choose
from stylegenes.perception import AttributeClassifier, FeatureExtractor, PerceptualDistance
from stylegenes.perception.trust import warn_of_doubts
from stylegenes.progress import OnProgress, naming, silent
from stylegenes.shares import Share
from stylegenes.survey import fingerprint
from stylegenes.words import did_you_mean

MIXING = "mix"
MAX_MIXED = 4


@dataclass(frozen=True)
class Subject:
    """What is measured: a generator, or a set of pictures.

    Attributes:
        name: how records call it: a path.
        generator: in eval mode on `Evaluator.device`, or None.
        pictures: a data set of fakes, or None.
    """

    name: str
    generator: Generator | None = None
    pictures: LabeledImages | None = None

    def hash(self) -> str:
        """Fingerprint of the weights, or content hash of the pictures."""
        return fingerprint(self.generator) if self.generator is not None else self.need_pictures().content_hash

    def need_generator(self, metric: str) -> Generator:
        """The generator.

        Raises:
            UserError: when the subject is a set of pictures.
        """
        if self.generator is None:
            raise UserError(f"{metric} needs a generator; {self.name} is a set of pictures")
        return self.generator

    def need_pictures(self) -> LabeledImages:
        """The pictures, which are there when no generator is."""
        assert self.pictures is not None, "a subject has a generator or pictures"
        return self.pictures


@dataclass(frozen=True)
class Evaluator:
    """Everything an evaluation needs besides its subject.

    Attributes:
        data: the real pictures.
        extractor: the feature extractor, on `device`.
        distance: for path length, on `device`, or None.
        classifier: for separability and disentanglement, on `device`, or None.
        num: fakes for distribution metrics, pairs for path length, draws for the attribute metrics.
        num_real: reals; None takes all.
        seed: of all draws.
        psi: truncation.
        batch: pictures at once; the draws depend on it.
        device: where the networks are.
        cache: folder of statistics of reals, or None for none.
        work: folder where the passes of fakes keep their state until the evaluation has ended, or None.
        share: this process's part of the passes.
        labels: what a conditional model is told, or None for the labels of random reals.
        on_progress: progress.
    """

    data: LabeledImages
    extractor: FeatureExtractor
    distance: PerceptualDistance | None = None
    classifier: AttributeClassifier | None = None
    num: int = 50_000
    num_real: int | None = None
    seed: int = 0
    psi: float = 1.0
    batch: int = 32
    device: torch.device | str = "cpu"
    cache: Path | None = None
    work: Path | None = None
    share: Share = field(default_factory=Share)
    labels: LabelSource | None = None
    on_progress: OnProgress = silent
    _reals: dict[bool, FeatureSet] = field(default_factory=dict, repr=False)
    _used: list[Path] = field(default_factory=list, repr=False)
    _floors: dict[str, dict[str, float]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.num < 2 or self.batch < 1:
            raise UserError(
                f"an evaluation takes at least 2 fakes, in batches of at least 1; got {self.num}, {self.batch}"
            )
        check_psi(self.psi)

    def evaluate(self, subject: Subject, metrics: list[str]) -> Iterator[MetricRecord]:
        """The records of `metrics`, each as soon as it is there.

        Of several processes the first gives the records; the others make their part of the passes and give none.

        Raises:
            UserError: for an unknown metric, or one that needs what is not there; before anything is computed.
        """
        self.check(subject, metrics)
        if self.work is None:
            yield from self._evaluate(subject, metrics)
            return
        self.share.meet_in(self.work)
        what = f"{subject.hash} {self.extractor.name} {self.num} {self.seed} {self.psi} {sorted(metrics)}"
        with own_corner(self.work, what, self.share) as corner:
            yield from replace(self, work=corner)._evaluate(subject, metrics)

    def _evaluate(self, subject: Subject, metrics: list[str]) -> Iterator[MetricRecord]:
        if not self.share.first:
            self._help(subject, metrics)
            return
        distribution = {name: DISTRIBUTION_METRICS[name] for name in metrics if name in DISTRIBUTION_METRICS}
        rows = any(metric.needs_rows for metric in distribution.values())
        if distribution or MIXING in metrics:
            real = self.real_features(rows)
            if distribution:
                fake = self.fake_features(subject, rows)
                for name in distribution:
                    yield from self._compare(subject, name, real, fake)
            if MIXING in metrics:
                yield from self._mixing(subject, real, self._mixtures(subject, metrics))
        latent = [name for name in metrics if name in LATENT_METRICS]
        if latent:
            yield from self._latent(subject, latent)
        self._clean_up()

    def check(self, subject: Subject, metrics: list[str]) -> None:
        """Refuse what cannot be computed.

        Raises:
            UserError: naming the metric and what it lacks.
        """
        known = [*DISTRIBUTION_METRICS, MIXING, *LATENT_METRICS]
        for name in metrics:
            if name not in known:
                raise UserError(f"there is no metric {name!r}{did_you_mean(name, known, 'metrics')}")
            if name not in DISTRIBUTION_METRICS:
                subject.need_generator(name)
            if name in DISTRIBUTION_METRICS or name == MIXING:
                self._check_numbers(subject, name)
            if name in LATENT_METRICS:
                self._check_latent(subject, name)

    def _check_numbers(self, subject: Subject, name: str) -> None:
        reals = len(self.data) if self.num_real is None else min(self.num_real, len(self.data))
        fakes = self.num if subject.generator is not None else min(self.num, len(subject.need_pictures()))
        need_enough(name if name in DISTRIBUTION_METRICS else "fd", self.data.source, reals, fakes)

    def _check_latent(self, subject: Subject, name: str) -> None:
        metric = LATENT_METRICS[name]
        if metric.needs_classifier and self.classifier is None:
            raise UserError(
                f"{name} needs an attribute classifier; train one with: stylegenes classifier DATA --out FOLDER, and "
                "give it with --classifier FOLDER"
            )
        if metric.needs_classifier and self.classifier is not None:
            warn_of_doubts(self.classifier, self.classifier.attributes)
        if metric.needs_distance and self.distance is None:
            raise UserError(f"{name} needs a perceptual distance")
        synthesis = subject.need_generator(name).synthesis
        if metric.needs_movable and not synthesis.movable:
            raise UserError(
                f"{name} moves the input of the synthesis network; {synthesis.spec['name']!r} has none that can be "
                "moved (stylegan3 has)"
            )

    def real_features(self, rows: bool) -> FeatureSet:
        """Features of the reals, computed once, or read from the cache."""
        if rows not in self._reals:
            self._reals[rows] = self._real_plan(rows).run()
        return self._reals[rows]

    def fake_features(self, subject: Subject, rows: bool, latents: int = 1) -> FeatureSet:
        """Features of the subject's pictures."""
        plan = self._plan(self._fakes(subject, latents), rows, self.work, "fakes")
        if plan.place is not None:
            self._used.append(plan.place)
        return plan.run()

    def _help(self, subject: Subject, metrics: list[str]) -> None:
        """This process's part of every pass, in the order in which the first process wants them."""
        kinds = [DISTRIBUTION_METRICS[name] for name in metrics if name in DISTRIBUTION_METRICS]
        rows = any(kind.needs_rows for kind in kinds)
        if kinds or MIXING in metrics:
            self._real_plan(rows).make_part()
        if kinds:
            self._plan(self._fakes(subject, 1), rows, self.work, "fakes").make_part()
        if MIXING in metrics:
            for latents in self._mixtures(subject, metrics):
                self._plan(self._fakes(subject, latents), False, self.work, "fakes").make_part()
        for plan in self._latent_passes(subject, metrics).values():
            plan.make_part()

    def _latent_passes(self, subject: Subject, metrics: list[str]) -> dict[str, RowPass]:
        """The passes of the metrics of the latent by their keys, each once."""
        wanted = [LATENT_METRICS[name] for name in metrics if name in LATENT_METRICS]
        if not wanted:
            return {}
        context = self._latent_context(subject)
        plans = [context.placed(plan) for metric in wanted for plan in metric.passes(context)]
        return {plan.key(): plan for plan in plans}

    def _latent_context(self, subject: Subject) -> LatentContext:
        return LatentContext(
            subject.need_generator("a metric of the latent"),
            self.num,
            self.seed,
            self.batch,
            self.psi,
            self._labels,
            self.distance,
            self.classifier,
            self.work,
            self.share,
            self.on_progress,
        )

    @property
    def _labels(self) -> LabelSource:
        return self.data if self.labels is None else self.labels

    def _mixtures(self, subject: Subject, metrics: list[str]) -> range:
        """How many codes are mixed; one is `fd` itself and not repeated where that is asked for too."""
        most = min(MAX_MIXED, subject.need_generator(MIXING).synthesis.num_ws)
        return range(2 if "fd" in metrics else 1, most + 1)

    def _fakes(self, subject: Subject, latents: int) -> ImageSource:
        if subject.generator is None:
            return choose(subject.need_pictures(), self.num, self.seed)
        draws = {"seed": self.seed, "psi": self.psi, "latents": latents, "batch": self.batch}
        return GeneratorSource(subject.generator, self.num, labels=self._labels, **draws)

    def _plan(self, source: ImageSource, rows: bool, folder: Path | None, what: str) -> FeaturePass:
        return FeaturePass(
            source, self.extractor, rows, folder, self.share, self.device, naming(what, self.on_progress)
        )

    def _real_plan(self, rows: bool) -> FeaturePass:
        """Several processes meet in the work folder: the caches of their hosts may be different ones."""
        plan = self._plan(choose(self.data, self.num_real, self.seed), rows, self.cache, "reals")
        if self.share.count == 1:
            return plan
        plan = replace(plan, folder=self.work, cache=self.cache)
        if plan.place is not None:
            self._used.append(plan.place)
        return plan

    def _compare(
        self, subject: Subject, name: str, real: FeatureSet, fake: FeatureSet, latents: int = 1
    ) -> Iterator[MetricRecord]:
        start, metric = time.monotonic(), DISTRIBUTION_METRICS[name]
        numbers = metric.compute(real.all, fake.all)
        if name not in self._floors:
            self._floors[name] = floors_of(name, real)
        floors = self._floors[name]
        num, seconds = real.half, time.monotonic() - start
        provenance = replace(
            self._provenance(subject, metric.settings),
            data=self.data.content_hash,
            num_real=len(real.all),
            num_fake=len(fake.all),
            latents=latents,
        )
        for number in numbers:
            yield MetricRecord(
                metric=self.extractor.metric_name(number.metric) + (f"_mix{latents}" if latents > 1 else ""),
                value=number.value,
                subject=subject.name,
                subject_hash=subject.hash(),
                provenance=provenance,
                spread=number.spread,
                floor=Floor(floors[number.metric], num),
                details=number.details,
                files=self._files(subject),
                seconds=seconds,
            )

    def _mixing(self, subject: Subject, real: FeatureSet, mixtures: range) -> Iterator[MetricRecord]:
        """The Frechet distance with 1 to 4 codes mixed in every picture (StyleGAN, Table 2)."""
        for latents in mixtures:
            fake = self.fake_features(subject, False, latents)
            yield from self._compare(subject, "fd", real, fake, latents)

    def _latent(self, subject: Subject, names: list[str]) -> Iterator[MetricRecord]:
        context = self._latent_context(subject)
        self._used.extend(plan.place for plan in self._latent_passes(subject, names).values() if plan.place)
        for name in names:
            start = time.monotonic()
            for found in LATENT_METRICS[name].measure(context):
                provenance = replace(
                    self._provenance(subject, found.settings),
                    judge=found.network,
                    judge_weights=found.network_weights,
                    preprocessing="",
                    num_fake=self.num,
                )
                yield MetricRecord(
                    metric=found.metric,
                    value=found.value,
                    subject=subject.name,
                    subject_hash=subject.hash(),
                    provenance=provenance,
                    spread=found.spread,
                    failure=found.failure,
                    details=found.details,
                    files=self._files(subject),
                    seconds=time.monotonic() - start,
                )

    def _files(self, subject: Subject) -> Files:
        real = self.data.originals
        if subject.generator is not None:
            return Files(real.words())
        fake = subject.need_pictures().originals
        return Files(real.words(), fake.words(), real.unlike(fake))

    def _provenance(self, subject: Subject, settings: dict[str, Any]) -> Provenance:
        return Provenance(
            judge=self.extractor.name,
            judge_weights=self.extractor.weights_hash,
            preprocessing=f"8-bit pixels, {self.extractor.preprocessing}",
            psi=self.psi if subject.generator is not None else None,
            seed=self.seed,
            batch=self.batch if subject.generator is not None else 0,
            settings=settings if self.labels is None else {**settings, "labels": self.labels.source},
        )

    def _clean_up(self) -> None:
        """The state of the fakes' passes has served."""
        for place in self._used:
            shutil.rmtree(place, ignore_errors=True)
        self._used.clear()
