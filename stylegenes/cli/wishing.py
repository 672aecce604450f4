"""Codes by wish for `stylegenes sample --where`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from stylegenes.analysis.conditional import gene_tables, sample_accepted
from stylegenes.analysis.judge import Judge
from stylegenes.analysis.wishes import parse_where
from stylegenes.cli.console import say
from stylegenes.cli.workbench import bench_for
from stylegenes.drawing import Look
from stylegenes.snapshot import Snapshot, find_snapshot


def wished_codes(
    path: Path, snapshot: Snapshot, where: str, temperature: float, seeds: Sequence[int], look: Look
) -> torch.Tensor:
    """A genotype for each seed, [len(seeds), G], whose picture should fulfil the wishes; says how sure that is.

    Candidates come from Eq. 6 with shrunk estimates; the survey's classifier accepts them. A seed's genotype depends on
    seed, wishes, temperature and survey.

    Raises:
        UserError: when the model has no genome, no survey or no such attribute.
    """
    bench = bench_for(find_snapshot(path), snapshot)
    wishes = parse_where(where, bench.statistics.attributes)
    tables = gene_tables(bench.report.shrunk.mean, wishes, temperature)
    judge = Judge(snapshot.generator, bench.classifier, look)
    found = sample_accepted(judge, tables, wishes, [torch.Generator().manual_seed(seed) for seed in seeds])
    fulfilled = torch.stack([wish.likelihood(found.probability) > 0.5 for wish in wishes]).all(dim=0)
    say(
        f"{where} at T = {temperature:g}: {int(fulfilled.sum())} of {len(seeds)} fulfil it by the survey's classifier; "
        f"{found.candidates} candidates judged, {int((~found.accepted).sum())} kept without being accepted; "
        f"variety of the gene tables {tables.variety:.3f}"
    )
    return found.genotype.to(snapshot.generator.device)
