"""The work of `stylegenes edit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from stylegenes.analysis.edit_study import study_edits
from stylegenes.analysis.editing import Editor, EditReport, Strength, editor, judge_edit
from stylegenes.analysis.exhibits.edits import edit_exhibit, edit_study_exhibit, traversal_exhibit
from stylegenes.analysis.wishes import parse_where
from stylegenes.cli.console import progress, say
from stylegenes.cli.workbench import Workbench, open_workbench
from stylegenes.drawing import codes_of_seeds
from stylegenes.errors import UserError
from stylegenes.notation import parse_codes, parse_hold

if TYPE_CHECKING:
    from stylegenes.cli.edit import Args

_CHOSEN = {"checked": "with the classifier looking", "statistics": "by the variants' statistics alone"}


def run(args: Args) -> None:
    """Edit or traverse."""
    bench = open_workbench(args.snapshot, args.classifier, args.device)
    names = bench.statistics.attributes
    if (args.set == "all") != (args.study is not None):
        raise UserError("--set all and --study NUMBER go together: a study edits every attribute of so many pictures")
    hold = parse_hold(args.hold or "", names)
    make = editor(bench.judge, bench.report, Strength(args.genes, args.rank), hold, args.method)
    if args.study is not None:
        if hold.attributes:
            raise UserError(f"--hold {args.hold}: a study edits every attribute, so that it can hold genes only")
        _study(bench, args.study, make, args)
        return
    wishes = parse_where(args.set, names)
    start = one_genotype(bench, args.code, args.seed)
    if args.traverse is not None:
        bench.show(traversal_exhibit(bench.judge, bench.report, start, args.traverse, wishes[0]), args.out)
        return
    made = make(start, wishes)
    report = judge_edit(bench.judge, made, wishes, bench.perceptual)
    before, after = bench.genome.to_strings(torch.stack([made.before, made.after]))
    say(f"before {before}\nafter  {after}\nchanged genes: {', '.join(map(str, made.genes)) or 'none'}")
    if not made.genes and args.method == "checked":
        say("nothing tried was worth its side effects; --method statistics does not look at them")
    _tell(report)
    bench.show(edit_exhibit(report, wishes, made.genes, before, after), args.out)


def one_genotype(bench: Workbench, code: str | None, seed: int) -> torch.Tensor:
    """The genotype [G] of a code string or of a seed.

    Raises:
        UserError: when the latent is continuous.
    """
    genome = bench.genome
    if code is None:
        return codes_of_seeds(bench.snapshot.generator, [seed])[0].cpu()
    return genome.from_strings(parse_codes(code)[:1])[0].cpu()


def _study(bench: Workbench, num: int, make: Editor, args: Args) -> None:
    """Every attribute of `num` pictures, edited against its present state."""
    if num < 1:
        raise UserError(f"--study {num} must be at least one picture")
    genotypes = codes_of_seeds(bench.snapshot.generator, list(range(args.seed, args.seed + num))).cpu()
    with progress("editing") as bar:
        study = study_edits(bench.judge, genotypes, make, on_progress=bar)
    caption = (
        f"Every attribute of {num} pictures edited against its present state, up to {args.genes} genes at rank "
        f"{args.rank:g} for each edit, chosen {_CHOSEN[args.method]}; mean absolute change of "
        f"{bench.classifier.name}'s probability. In the right panel each point is an edited attribute; above the line "
        "it changes more than the others do in the mean."
    )
    bench.show(edit_study_exhibit(study, args.method, caption), args.out)
    say(
        f"means over {len(study.attributes)} attributes: wanted change {study.achieved.mean():+.3f}, others "
        f"{study.side_effect.mean():.3f}, flipped {study.flipped.mean():.1%}, no other changed more in "
        f"{study.foremost.mean():.1%} of the edits"
    )


def _tell(report: EditReport) -> None:
    for a in report.wanted:
        say(
            f"{report.attributes[a]}: {report.before[a]:.2f} -> {report.after[a]:.2f} "
            f"(requested {report.predicted[a]:+.2f}, achieved {report.achieved[a]:+.2f})"
        )
    others = [a for a in report.achieved.abs().argsort(descending=True).tolist() if a not in report.wanted][:3]
    worst = ", ".join(f"{report.attributes[a]} {report.achieved[a]:+.2f}" for a in others)
    say(f"side effects: {report.side_effect:.3f} in the mean; largest: {worst}")
    say(f"perceptual distance to the original: {report.distance:.3f}")
