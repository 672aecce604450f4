"""What one does with single pictures: children, exchanged variants, mixtures, ways, moves. Code strings in and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np
import torch

from stylegenes.arguments import NO_CODES
from stylegenes.choice import Choice
from stylegenes.drawing import DrawSettings, as_count, random_of
from stylegenes.errors import UserError
from stylegenes.loaded import LoadedModel, log, view_text
from stylegenes.notation import parse_layers
from stylegenes.sheets import Sheet
from stylegenes.styles import MOST_STEPS, between, check_texts, draw_texts, is_plain, mixed, read_styles, settled
from stylegenes.words import joined

if TYPE_CHECKING:
    from stylegenes.analysis.compass import Compass, Move
    from stylegenes.analysis.population import Crossing, Diversity
    from stylegenes.analysis.variant_effects import VariantEffects
    from stylegenes.walks import Pulse, Walk, WalkSettings


class Studio(LoadedModel):
    """A model at work on single pictures."""

    def pictures(self, codes: Sequence[str], drawing: DrawSettings | None = None) -> list[np.ndarray]:
        """A picture [H, W, C] of each code string of any kind.

        Raises:
            UserError: for one that cannot be read.
        """
        return list(draw_texts(self.generator, codes, drawing or self.plain_drawing))

    def chosen(self, codes: Sequence[str], drawing: DrawSettings | None = None) -> Choice:
        """Code strings of any kind with how they are drawn, for sheets, mixing and animations.

        Raises:
            UserError: for one that cannot be read.
        """
        check_texts(self.generator, codes)
        drawing, (own, texts) = drawing or self.plain_drawing, self._own_and_texts(codes)
        names = [one[:10] for one in codes]
        return Choice(self.generator, own, names, drawing, self.origin(drawing), texts=texts)

    def _own_and_texts(self, codes: Sequence[str]) -> tuple[torch.Tensor, Sequence[str]]:
        """The latent's own codes where all strings are plain, else none of them and the strings themselves."""
        plain = all(map(is_plain, codes))
        return (self._own(codes), ()) if plain else (self.generator.latent.sample(0), codes)

    def images(self, codes: Sequence[str], drawing: DrawSettings | None = None) -> torch.Tensor:
        """The same pictures as tensors [N, C, H, W] in [-1, 1], as they are shown.

        Raises:
            UserError: without codes, or for one that cannot be read.
        """
        if not len(codes):
            raise UserError(NO_CODES)
        stacked = torch.from_numpy(np.stack(self.pictures(codes, drawing)))
        return (stacked.permute(0, 3, 1, 2).float() / 127.5 - 1).to(self.device)

    def mutants(
        self,
        code: str,
        count: int = 12,
        *,
        rate: float = 0.1,
        locked: Sequence[int] = (),
        seed: int = 0,
        drawing: DrawSettings | None = None,
    ) -> list[str]:
        """Children of one picture: genes mutate with chance `rate`; continuous codes go so far towards random ones.

        Args:
            code: string of the picture's code.
            count: children.
            rate: in [0, 1].
            locked: numbers of genes that stay.
            seed: of all chance.
            drawing: whose label mixtures of many steps are settled with.

        Raises:
            UserError: for a rate outside [0, 1], no child, or genes that do not exist.
        """
        from stylegenes.analysis.population import check_rate, mutants, refuse_genes

        latent, random, count = self.generator.latent, random_of(seed), as_count(count, "a count")
        if is_plain(code):
            return latent.to_strings(mutants(latent, self._own([code]), count, rate, random, locked))
        check_rate(rate)
        refuse_genes(locked)
        code = self._settled(code, MOST_STEPS - 1, drawing)
        return [between(code, other, rate) for other in latent.to_strings(latent.sample(count, random))]

    def children(
        self,
        parents: Sequence[str],
        count: int = 12,
        how: Crossing | None = None,
        seed: int = 0,
        drawing: DrawSettings | None = None,
    ) -> list[str]:
        """Children of two pictures.

        Args:
            parents: strings of two codes.
            count: children.
            how: crossing and mutation; the usual ones where None.
            seed: of all chance.
            drawing: whose label mixtures are settled with, see `styles.settled`.

        Raises:
            UserError: for other than two parents, no child, or genes that do not exist.
        """
        from stylegenes.analysis.population import Crossing, offspring, refuse_crossing

        if len(parents) != 2:
            raise UserError(f"children have two parents; {len(parents)} were given")
        latent, how, random = self.generator.latent, how or Crossing(), random_of(seed)
        count = as_count(count, "a count")
        if all(map(is_plain, parents)):
            return latent.to_strings(offspring(latent, self._own(parents), count, how, random))
        refuse_crossing(how)
        shares = (how.share + torch.rand(count, generator=random) / 2 - 0.25).clamp(0, 1).tolist()
        others = latent.to_strings(latent.sample(count, random))
        first, second = self._settled(parents[0], MOST_STEPS - 2, drawing), self._settled(parents[1], 0, drawing)
        ways = [between(first, second, share) for share in shares]
        return [between(way, other, how.rate) for way, other in zip(ways, others, strict=True)]

    def diversity(self, codes: Sequence[str], drawing: DrawSettings | None = None) -> Diversity:
        """How different pictures are, and their genes.

        Raises:
            UserError: for codes that cannot be read.
        """
        from stylegenes.analysis.population import Diversity, gene_diversity, picture_diversity

        discrete = bool(self.generator.latent.num_genes) and all(map(is_plain, codes))
        genes = gene_diversity(self._own(codes)) if discrete else None
        judge = self.study.perceptual
        apart, pairs = picture_diversity(self.images(codes, drawing), judge)
        return Diversity(genes, apart, judge.name, pairs)

    def swap(self, code: str, gene: int, variant: int) -> str:
        """The genotype string with one variant exchanged.

        Raises:
            UserError: without a genome, or for a gene or variant that does not exist.
        """
        changed = self.genotype([code], 0)
        changed[self._gene(gene)] = self._variant(variant)
        return self.study.genome.to_strings(changed[None])[0]

    def variants(self, code: str, gene: int) -> list[str]:
        """The genotype strings with every variant of one gene.

        Raises:
            UserError: without a genome, or for a gene that does not exist.
        """
        genome = self.study.genome
        every = self.genotype([code], 0).repeat(genome.num_variants, 1)
        every[:, self._gene(gene)] = torch.arange(genome.num_variants)
        return genome.to_strings(every)

    def spell(self, variants: Sequence[int]) -> str:
        """The genotype string of one variant for each gene.

        Raises:
            UserError: without a genome, or for other than one existing variant for each gene.
        """
        genome = self.study.genome
        if len(variants) != genome.num_genes:
            raise UserError(f"{len(variants)} variants were given; this genome has {genome.num_genes} genes")
        return genome.to_strings(torch.tensor([[self._variant(one) for one in variants]]))[0]

    def effects(self, attribute: str) -> VariantEffects:
        """What every variant does to an attribute, with intervals and counts.

        Raises:
            UserError: without a genome or a survey, or for an unknown attribute.
        """
        from stylegenes.analysis.variant_effects import variant_effects

        return variant_effects(self.statistics, self.study.report, attribute)

    def difference(self, code: str, other: str, drawing: DrawSettings | None = None) -> np.ndarray:
        """Where two pictures differ, uint8 [H, W, 1]: the largest difference of any channel."""
        first, second = (one.astype(np.int16) for one in self.pictures([code, other], drawing))
        return np.abs(first - second).max(axis=2, keepdims=True).astype(np.uint8)

    def mixtures(
        self,
        rows: Sequence[str],
        columns: Sequence[str],
        layers: str = "middle",
        drawing: DrawSettings | None = None,
    ) -> list[list[str]]:
        """Style mixing: each row's code with a band (`coarse`, `middle`, `fine`) or layers `0-3,7` of each column's.

        Args:
            rows: code strings.
            columns: code strings.
            layers: a band, or layers.
            drawing: whose label mixtures among the columns are settled with, see `styles.settled`.

        Raises:
            UserError: for layers that the model does not have.
        """
        chosen = parse_layers(layers, self.generator)
        bases = [self._settled(row, MOST_STEPS - 1, drawing) for row in rows]
        others = [self._settled(column, 0, drawing) for column in columns]
        return [[mixed(base, other, chosen) for other in others] for base in bases]

    def way(self, start: str, end: str, steps: int = 8, drawing: DrawSettings | None = None) -> list[str]:
        """`steps` + 1 codes from one to another.

        Args:
            start: code string.
            end: code string.
            steps: at least 1.
            drawing: whose label a mixture at the end is settled with, see `styles.settled`.

        Raises:
            UserError: for less than one step.
        """
        if steps < 1:
            raise UserError(f"a way of {steps} steps leads nowhere; give at least 1")
        base, other = self._settled(start, MOST_STEPS - 1, drawing), self._settled(end, 0, drawing)
        return [start, *[between(base, other, step / steps) for step in range(1, steps)], end]

    def _settled(self, text: str, most: int, drawing: DrawSettings | None) -> str:
        return settled(self.generator, text, drawing or self.plain_drawing, most)

    @torch.no_grad()
    def walk(
        self,
        keyframes: str | PathLike[str] | Sheet | Sequence[SupportsIndex] | Sequence[str],
        settings: WalkSettings | None = None,
        pulse: Pulse | None = None,
        *,
        psi: float | str | None = None,
        made: str | None = None,
    ) -> Walk:
        """A film from keyframe to keyframe, to be saved as .mp4, .gif or .webp.

        Args:
            keyframes: seeds `3,8,5` or code strings, either with the second when it is reached: `0:3,2.5:8`; also
                as a list, a sheet, or a file whose psi, noise and label count where they are not given here.
            settings: length, frames a second, easing, way, loop.
            pulse: the sound that it moves to.
            psi: truncation.
            made: what the file says that it was made by.

        Raises:
            UserError: for keyframes that cannot be.
        """
        from stylegenes.walks import WalkSettings, carried_by, parse_keyframes, walk

        text = joined("keyframes", keyframes.codes if isinstance(keyframes, Sheet) else keyframes)
        carried = keyframes if isinstance(keyframes, Sheet) else carried_by(text)
        recorded = None if carried is None else carried.origin
        drawing, notes = self.drawing(recorded, psi, None)
        if foreign := self.foreign(recorded):
            log.warning("%s", foreign)
        label = drawing.condition.label
        if label is not None and len(label.unique(dim=0)) > 1:
            raise UserError("a film has one label, and these pictures have several; give the model one, or --label")
        drawing = drawing.part(slice(1))
        more = {} if drawing.condition.camera is None else view_text(recorded, None)
        origin = self.origin(drawing, more if made is None else {**more, "Made": made})
        keys = parse_keyframes(self.generator, text)
        return replace(walk(self.generator, keys, settings or WalkSettings(), drawing, origin, pulse), notes=notes)

    def judged(self, codes: Sequence[str], drawing: DrawSettings | None = None) -> torch.Tensor:
        """The classifier's probabilities [N, A] of code strings of any kind.

        Raises:
            UserError: without a classifier.
        """
        classifier, batches = self.classifier, self.images(codes, drawing).split(32)
        return torch.cat([classifier(batch) for batch in batches]).double().cpu()

    @cached_property
    def compass(self) -> Compass:
        """Directions in w: principal components at once, attributes when they are fitted."""
        from stylegenes.analysis.compass import Compass

        return Compass(self.generator, self.condition)

    def moved(self, code: str, moves: Sequence[Move], hold: Sequence[str] = ()) -> str:
        """A picture moved along directions, as the string of its style vectors.

        Raises:
            UserError: for an unknown direction, or layers that the model does not have.
        """
        layers = [parse_layers(move.layers, self.generator) for move in moves]
        ws = read_styles(self.generator, [code], self.plain_drawing)
        return self.compass.moved(ws, moves, layers, hold)

    def _own(self, codes: Sequence[str]) -> torch.Tensor:
        if not len(codes):
            raise UserError(NO_CODES)
        return self.generator.latent.from_strings(list(codes)).cpu()

    def _gene(self, gene: int) -> int:
        count = self.study.genome.num_genes
        if not 0 <= gene < count:
            raise UserError(f"there is no gene {gene}; this genome has genes 0 to {count - 1}")
        return gene

    def _variant(self, variant: int) -> int:
        count = self.study.genome.num_variants
        if not 0 <= variant < count:
            raise UserError(f"there is no variant {variant}; a gene of this genome has variants 0 to {count - 1}")
        return variant
