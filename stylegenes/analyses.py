"""What is found out about a model as a whole; each gives a record that prints, shows itself and can be saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, SupportsIndex, cast

from stylegenes.arguments import Codes, Seeds
from stylegenes.drawing import as_count, random_of
from stylegenes.loaded import AnyClassifier, LoadedModel
from stylegenes.notation import parse_layers
from stylegenes.progress import OnProgress, silent
from stylegenes.sampling import Sampling
from stylegenes.snapshot import load_snapshot
from stylegenes.words import check_names

if TYPE_CHECKING:
    from stylegenes.analysis.attribute_study import AttributeStudy
    from stylegenes.analysis.component_study import ComponentStudy
    from stylegenes.analysis.direction_study import MovedCodes
    from stylegenes.analysis.directions import Penalty
    from stylegenes.analysis.noise_record import NoiseStudy
    from stylegenes.analysis.outcomes import Outcome
    from stylegenes.analysis.pruning import Worth
    from stylegenes.analysis.report import GenePage
    from stylegenes.analysis.samples import LabeledCodes
    from stylegenes.comparisons import PruningStudy, TradeOff, Wanted
    from stylegenes.metrics.nearest import NearestReals


class Analyses(Sampling):
    """A model that is analyzed."""

    def report(
        self,
        *,
        fresh: bool = False,
        seed: int = 0,
        made: str = "",
        on_note: Callable[[str], None] = lambda text: None,
    ) -> GenePage:
        """All exhibits of the model's genes on one page that needs no other file.

        Args:
            fresh: make the exhibits again that are there already.
            seed: of the pictures that are edited, re-drawn and crossed.
            made: what makes the page, as it says itself.
            on_note: called with a sentence for each exhibit that is made.

        Raises:
            UserError: when the model has no survey, or no genome.
        """
        from stylegenes.analysis.report import report_of

        given = {"fresh": fresh, "seed": seed, "made": made, "on_note": on_note}
        return report_of(self.study, self.card, self.origin(), **given)

    def correlate(
        self,
        other: LoadedModel | None = None,
        *,
        data: str | None = None,
        num: int = 10_000,
        seed: int = 0,
        on_progress: OnProgress = silent,
    ) -> Outcome:
        """Which attributes go together, in real pictures, in another model, and in this one.

        Args:
            other: another model, or None.
            data: real pictures; otherwise those that the model was trained on.
            num: pictures of each; a finished survey gives all it has.
            seed: of the draws.
            on_progress: progress.

        Raises:
            UserError: when no classifier or data is known.
        """
        from stylegenes.comparisons import correlations_of

        models = [self] if other is None else [other, self]
        return correlations_of(models, self.real(data), num, seed, on_progress)

    def nearest(
        self,
        count: int = 8,
        *,
        k: int = 5,
        seeds: Seeds | None = None,
        codes: Codes | None = None,
        psi: float | str | None = None,
        data: str | None = None,
        extractor: str = "lite0",
        on_progress: OnProgress = silent,
    ) -> NearestReals:
        """The pictures of the data that are most like the model's: does it repeat what it was shown?

        Args:
            count: pictures of seeds 0, 1, 2, ... where neither seeds nor codes are given.
            k: how many of the nearest.
            seeds: of the pictures.
            codes: the pictures' codes.
            psi: truncation.
            data: real pictures; otherwise those that the model was trained on.
            extractor: the frozen network whose features are compared.
            on_progress: progress.

        Raises:
            UserError: for codes of another model, fewer reals than k, or where no data is known.
        """
        from stylegenes.metrics.nearest import nearest_reals

        reals, drawn = self.real(data), self.picked(count, seeds=seeds, codes=codes, psi=psi).samples()
        return nearest_reals(drawn, reals, k, extractor=extractor, device=self.device, on_progress=on_progress)

    def tradeoff(
        self,
        wanted: Wanted | str,
        second: AnyClassifier,
        *,
        temperatures: float | Sequence[float] = (1, 0.8, 0.5, 0.3),
        data: str | None = None,
        baseline: str | PathLike[str] | None = None,
        on_progress: OnProgress = silent,
    ) -> TradeOff:
        """What conditional sampling costs: accuracy against Frechet distance and variety, over temperatures.

        Args:
            wanted: sets of wishes with semicolons between, like `Smiling=1;Hat=1,Male=0`, or those with numbers.
            second: a classifier that had no part in the survey: a shipped one's name, a path, or any torch module.
            temperatures: lower ones are more accurate and less varied.
            data: real pictures; otherwise those that the model was trained on.
            baseline: snapshot of a conditional model with the data's labels, to compare with.
            on_progress: progress.

        Raises:
            UserError: for unknown attributes, or when the second classifier is the first.
        """
        from stylegenes.analysis.tradeoff import genome_methods
        from stylegenes.comparisons import Wanted, baseline_methods, second_classifier, trade_off_of

        _ = self.condition
        wanted = Wanted(wanted) if isinstance(wanted, str) else wanted
        cooled = temperatures if isinstance(temperatures, Iterable) else [temperatures]
        other, reals = second_classifier(self, self.judge(second)), self.real(data)
        methods = genome_methods(self.study.labeler, self.statistics, cooled, tries=wanted.tries)
        if baseline is not None:
            methods += baseline_methods(load_snapshot(baseline, self.device).generator, reals)
        return trade_off_of(self, methods, other, reals, wanted, on_progress)

    def prune(self, num: int, *, by: Worth = "realness", data: str | None = None) -> Self:
        """A model with the `num` worst variants of every gene replaced by its best ones.

        Args:
            num: variants of each gene, up to half of them.
            by: `realness`, the discriminator's opinion that the survey recorded, `outliers`, how far the survey's
                pictures lie from the nearest real in the classifier's logits, or `chance`, a control.
            data: real pictures for `outliers`; otherwise those that the model was trained on.

        Raises:
            UserError: without a survey that allows it, or for more than half of the variants.
        """
        from stylegenes.analysis.pruning import WORTHS, prune
        from stylegenes.comparisons import variant_worth

        pruned = prune(self.generator, variant_worth(self, by, lambda: self.real(data)), num)
        of = self.study.genome.num_variants
        note = f"{num} {WORTHS[by].worst} of {of} variants of each gene replaced by the {WORTHS[by].best} ones."
        notes, name = f"{self.card.notes}\n{note}".strip(), f"{self.card.name}-pruned{num}"
        child = replace(self.card, name=name, parent=str(self.reference), notes=notes)
        return type(self)(Path(name), replace(self.snapshot, generator=pruned, card=child), self._label, self._given)

    def pruning(
        self,
        numbers: int | Sequence[int],
        *,
        by: Worth = "realness",
        data: str | None = None,
        samples: int = 10_000,
        runs: int = 5,
        on_progress: OnProgress = silent,
    ) -> PruningStudy:
        """The Frechet distance over the number of variants of each gene that are replaced.

        Args:
            numbers: of variants, like [0, 8, 16].
            by: what the variants are judged by, see `prune`.
            data: real pictures; otherwise those that the model was trained on.
            samples: pictures for one distance.
            runs: distances for each number, with seeds 0, 1, ...
            on_progress: progress.

        Raises:
            UserError: without a survey that allows it, a run, or for more than half of the variants.
        """
        from stylegenes.comparisons import pruning_of

        several, runs = numbers if isinstance(numbers, Iterable) else [numbers], as_count(runs, "runs")
        given = {"by": by, "samples": samples, "runs": runs, "on_progress": on_progress}
        return pruning_of(self, several, self.real(data), **given)

    def directions(
        self,
        samples: SupportsIndex | LabeledCodes = 5000,
        *,
        attributes: Sequence[str] | None = None,
        penalties: Penalty | Sequence[Penalty] = ("l1", "l2"),
        c: float = 0.1,
        measure: bool = True,
        seed: int = 0,
        on_progress: OnProgress = silent,
    ) -> AttributeStudy:
        """Linear attribute directions in the latent space, how good they are, and what moving along them changes.

        Args:
            samples: how many codes to draw and classify, or codes with labels (`analysis.samples` reads them).
            attributes: only these.
            penalties: of the logistic regression: `l1` leaves few coordinates, `l2` all.
            c: inverse strength of the penalty.
            measure: measure what the moves change, which needs the classifier.
            seed: of the samples and the folds.
            on_progress: progress.

        Raises:
            UserError: for unknown attributes or penalties, or without a classifier.
        """
        from stylegenes.analysis.attribute_study import AttributeStudy, draw_labels
        from stylegenes.analysis.direction_study import fit_spaces, study_effects
        from stylegenes.analysis.samples import LabeledCodes

        told = {"drawing": self.plain_drawing, "on_progress": on_progress}
        penalties = cast("tuple[Penalty, ...]", check_names("penalty", penalties, ("l1", "l2")))
        if not isinstance(samples, LabeledCodes):
            drawn = (as_count(samples, "samples"), attributes, self.condition, seed, on_progress)
            samples = draw_labels(self.generator, self.classifier, *drawn)
        samples = samples if attributes is None else samples.only(attributes)
        fits = fit_spaces(self.generator, samples, penalties, c, seed=seed, **told)
        found = AttributeStudy(self.generator, self.weights, samples, fits)
        if not measure:
            return found
        seen = (self.generator, self.classifier, self.study.perceptual, fits, samples)
        return replace(found, effects=study_effects(*seen, seed=seed + 1, origin=self.origin(), **told))

    def move(
        self,
        directions: str | PathLike[str],
        name: str,
        *,
        seeds: Seeds | None = None,
        codes: Codes | None = None,
        strength: float = 3.0,
        layers: str | Sequence[int] = "all",
        hold: str | Sequence[str] = (),
    ) -> MovedCodes:
        """Pictures moved along a direction or a component, to both sides.

        Args:
            directions: file that `directions` or `components` saved.
            name: attribute, or pc1, pc2, ...; two with a comma between show the way from one edit to the other.
            seeds: of the codes; 0 to 3 where nothing is given.
            codes: code strings, a sheet or a file instead.
            strength: how far, in standard deviations of the samples along the direction.
            layers: all, coarse, middle, fine, or numbers like `0-3,7` or [0, 1].
            hold: attributes whose directions are projected out.

        Raises:
            UserError: for an unknown direction or layer.
        """
        from stylegenes.analysis.direction_study import MovedCodes, move_codes
        from stylegenes.analysis.latent_files import load_steps

        held = [hold] if isinstance(hold, str) else list(hold)
        steps, choice = load_steps(Path(directions)), self.picked(4, seeds=seeds, codes=codes)
        how = (name.split(","), strength, parse_layers(layers, self.generator), held, choice.drawing)
        moved = move_codes(self.generator, choice.plain, steps, *how)
        return MovedCodes(moved, choice.strings, choice.origin, steps.model == self.weights)

    def measured(self, found: MovedCodes) -> list[dict[str, object]]:
        """What a move changed at both ends, a row an end.

        Raises:
            UserError: without a classifier.
        """
        from stylegenes.analysis.direction_study import move_effects

        return move_effects(found.moved, self.classifier, self.study.perceptual)

    def components(self, samples: int = 10_000, space: Literal["w", "z"] = "w", *, seed: int = 0) -> ComponentStudy:
        """Principal components of the latent space.

        Args:
            samples: how many codes to draw.
            space: `w`, or `z`, the code's own numbers; for a genome both are its chosen variants.
            seed: of the codes.

        Raises:
            UserError: for fewer samples than a code has numbers.
        """
        from stylegenes.analysis.component_study import study_components

        given = {"origin": self.origin(), "drawing": self.plain_drawing}
        return study_components(self.generator, samples, space, seed=seed, **given)

    def noise(
        self,
        seeds: Seeds | None = None,
        *,
        codes: Codes | None = None,
        draws: int = 100,
        boundary: int | None = None,
        seed: int = 0,
    ) -> NoiseStudy:
        """What the noise inputs do: none, coarse, fine, all, and where they change the picture.

        Args:
            seeds: of the codes; 0 to 3 where nothing is given.
            codes: code strings, a sheet or a file instead.
            draws: how often each picture is made.
            boundary: the largest coarse resolution in pixels; an eighth of the picture's where nothing is given.
            seed: of the noise.

        Raises:
            UserError: for a model without noise inputs, or too few draws.
        """
        from stylegenes.analysis.noise_record import NoiseStudy
        from stylegenes.analysis.noise_study import noise_study

        choice = self.picked(4, seeds=seeds, codes=codes)
        given = {"boundary": boundary, "draws": draws, "condition": choice.conditions}
        random = random_of(seed)
        effects = noise_study(self.generator, choice.ws, random=random, **given)
        return NoiseStudy(effects, choice.strings, choice.origin)
