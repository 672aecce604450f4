"""Exhibits about breeding: a family, and generations under selection."""

from __future__ import annotations

import torch

from stylegenes.analysis.breeding import Lineage
from stylegenes.analysis.exhibits.exhibit import Exhibit, Words
from stylegenes.analysis.exhibits.tables import lineage_table
from stylegenes.analysis.plots.changes import family_figure, generations_figure
from stylegenes.drawing import DrawSettings, draw_images
from stylegenes.generator import Generator
from stylegenes.latents import genome_of

GENERATIONS_SHOWN = 8


def family_exhibit(generator: Generator, lineage: Lineage, drawing: DrawSettings, caption: str) -> Exhibit:
    """Two parents and all of their children.

    Args:
        generator: makes the pictures.
        lineage: of two founders and one generation.
        drawing: psi, noise and condition of the pictures.
        caption: says how they were bred.
    """
    names = [f"child {person.id}" for person in lineage.generation(1)]
    parents, young = (_fittest(generator, lineage, g, n, drawing) for g, n in ((0, 2), (1, len(names))))
    words, codes = Words("family", "A family", caption, 50), [person.genotype for person in lineage.individuals]
    return Exhibit(words, family_figure(parents, young, names), lineage_table(lineage), codes)


def generations_exhibit(
    generator: Generator, lineage: Lineage, generations: int, drawing: DrawSettings, title: str, caption: str
) -> Exhibit:
    """Fitness over `generations`, and the fittest two of some of them.

    Args:
        generator: makes the pictures.
        lineage: of the founders and all generations.
        generations: how many follow on the founders.
        drawing: psi, noise and condition of the pictures.
        title: above the exhibit.
        caption: says how they were bred.
    """
    shown = torch.linspace(0, generations, min(GENERATIONS_SHOWN, generations + 1)).round().long().tolist()
    size = min(2, *(len(lineage.generation(g)) for g in shown))
    best = [_fittest(generator, lineage, g, size, drawing) for g in shown]
    words = Words("generations", title, caption, 51)
    codes = [person.genotype for g in shown for person in lineage.generation(g)[:size]]
    return Exhibit(words, generations_figure(lineage, best), lineage_table(lineage), codes)


def _fittest(generator: Generator, lineage: Lineage, generation: int, n: int, drawing: DrawSettings) -> torch.Tensor:
    """Pictures [n, C, H, W] of the `n` fittest of a generation."""
    strings = [person.genotype for person in lineage.generation(generation)[:n]]
    return draw_images(generator, genome_of(generator.latent, "a family").from_strings(strings), drawing)
