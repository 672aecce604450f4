"""The papers' tables with their numbers and ours side by side."""

from __future__ import annotations

from collections.abc import Callable

from stylegenes.reproduction.attribute_tables import correlation, disentanglement, edits, linear, readers
from stylegenes.reproduction.compared import Compared
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.sampling_tables import at_equal_distance, conditional, pruning
from stylegenes.reproduction.training_tables import ablation, depths, mixing, unconditional


def all_tables(results: Results) -> list[Compared]:
    """Every table, those without numbers of ours too."""
    makers: list[Callable[[Results], Compared]] = [
        unconditional, ablation, disentanglement, readers, conditional, at_equal_distance, pruning, mixing, depths,
        linear, edits, correlation,
    ]  # fmt: skip
    return [make(results) for make in makers]
