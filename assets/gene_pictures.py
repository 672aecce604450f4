"""The pictures of conditional sampling and editing that the pages show, from any model with a survey.

    python assets/gene_pictures.py runs/0001 --wishes "Eyeglasses=1;Wearing_Hat=1;Smiling=1" --seed 3

where.png: a row drawn without a wish, then a row for each wish; how many fulfil it stands before the row.
edit.png: one picture and its edits towards each wish with 1, 2, 4 and 8 genes; the classifier's probability of the
attribute stands above each.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from matplotlib.figure import Figure

from stylegenes.analysis.conditional import gene_tables, sample_accepted
from stylegenes.analysis.editing import Strength, edit
from stylegenes.analysis.plots.style import SMALL, new_figure, picture_rows, show_picture
from stylegenes.analysis.wishes import Wish, parse_where
from stylegenes.cli.workbench import Workbench, open_workbench
from stylegenes.drawing import codes_of_seeds

COLUMNS, NUM_GENES = 10, (1, 2, 4, 8)


def wished(bench: Workbench, wishes: Sequence[Wish], temperature: float) -> Figure:
    """Rows of pictures by wish, below a row without one; the same seeds in every row."""
    plain = codes_of_seeds(bench.snapshot.generator, list(range(COLUMNS))).cpu()
    rows, labels = [bench.judge.pictures(plain)], ["no wish"]
    by_chance = bench.judge.probabilities(plain)
    for wish in wishes:
        tables = gene_tables(bench.report.shrunk.mean, [wish], temperature)
        sources = [torch.Generator().manual_seed(seed) for seed in range(COLUMNS)]
        found = sample_accepted(bench.judge, tables, [wish], sources)
        rows.append(bench.judge.pictures(found.genotype))
        share = f"{fulfilled(wish, found.probability)} of {COLUMNS}"
        labels.append(f"{wish}\n{share}\n(no wish: {fulfilled(wish, by_chance)})")
    return picture_rows(rows, labels)


def fulfilled(wish: Wish, probability: torch.Tensor) -> int:
    """How many rows of probabilities [n, A] fulfil a wish."""
    return int((wish.likelihood(probability) > 0.5).sum())


def edited(bench: Workbench, wishes: Sequence[Wish], seed: int) -> Figure:
    """A row for each wish: the picture of a seed, and its edits with more and more genes."""
    start = codes_of_seeds(bench.snapshot.generator, [seed])[0].cpu()
    figure = new_figure(1.3 + len(NUM_GENES) + 1, 1.25 * len(wishes))
    grid = figure.subplots(len(wishes), len(NUM_GENES) + 1, squeeze=False)
    for line, wish in zip(grid, wishes, strict=True):
        edits = [edit(bench.report, start, [wish], Strength(num_genes=n)).after for n in NUM_GENES]
        genotypes = torch.stack([start, *edits])
        probability = bench.judge.probabilities(genotypes)[:, wish.column].tolist()
        names = [f"seed {seed}", *(f"{n} gene{'s' * (n > 1)}" for n in NUM_GENES)]
        for axes, picture, name, p in zip(line, bench.judge.pictures(genotypes), names, probability, strict=True):
            show_picture(axes, picture, f"{name}: {p:.2f}")
        line[0].set_ylabel(str(wish), rotation=0, ha="right", va="center", fontsize=SMALL)
    return figure


def main() -> None:
    """Write both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--wishes", required=True, help="wishes with semicolons between")
    parser.add_argument("--edits", help="wishes of edit.png, if others")
    parser.add_argument("--temperature", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0, help="of the picture that is edited")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    bench = open_workbench(args.model, None, "auto")
    wishes, edits = (
        [wish for part in text.split(";") for wish in parse_where(part, bench.statistics.attributes)]
        for text in (args.wishes, args.edits or args.wishes)
    )
    wished(bench, wishes, args.temperature).savefig(args.out / "where.png", dpi=130)
    edited(bench, edits, args.seed).savefig(args.out / "edit.png", dpi=130)


if __name__ == "__main__":
    main()
