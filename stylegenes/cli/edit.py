"""change attributes of one picture by its genes, and say what else changed

Examples:
  stylegenes edit runs/0001 --seed 3 --set Smiling=1                      up to four genes
  stylegenes edit runs/0001 --code AbC... --set "Hat=0,Young=1" --genes 2 --rank 0.5
  stylegenes edit runs/0001 --seed 3 --set Male=1 --hold Smiling,Young,3,14
  stylegenes edit runs/0001 --seed 3 --set Smiling=1 --traverse 12        one gene, its variants in order
  stylegenes edit runs/0001 --set all --study 64                          every attribute of 64 pictures: what changes
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from stylegenes.model import Model

_CHOSEN = {"checked": "with the classifier looking", "statistics": "by the variants' statistics alone"}


@dataclass(frozen=True)
class PictureOptions:
    """Which picture is edited."""

    code: str | None = None
    """genotype string of the picture, or a file of `stylegenes sample`"""
    seed: int = 0
    """seed of the picture where no code is given"""


@dataclass(frozen=True)
class Args:
    """Change attributes of one picture by its genes."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name, with a survey"""
    set: str
    """what to change, like "Smiling=1,Hat=0"; or all, with --study"""
    picture: Annotated[PictureOptions, tyro.conf.arg(name="")] = field(default_factory=PictureOptions)
    """which picture"""
    genes: int = 4
    """genes that may change for each attribute, the most significant first"""
    rank: float = 1.0
    """how far along the ordered variants: 0 stays, 1 goes to the most extreme one"""
    hold: str | None = None
    """attributes and numbers of genes to leave alone, like Young,3,20-25"""
    method: str = "checked"
    """checked: the classifier looks at each exchange; statistics: by the survey's numbers alone, as in the paper"""
    traverse: int | None = None
    """show this one gene with its variants in the order of the attribute instead"""
    study: int | None = None
    """edit every attribute of so many pictures instead, and tell wanted from unwanted changes"""
    out: Path | None = None
    """picture to write; its tables lie beside (default: among the model's exhibits)"""
    classifier: Path | None = None
    """attribute classifier; otherwise the one of the survey"""
    label: str | None = None
    """for a conditional model: a class number, or label names with commas between"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""

    @property
    def seed(self) -> int:
        """Seed of the picture."""
        return self.picture.seed


def run(args: Args) -> None:
    """Edit, draw, report.

    Raises:
        UserError: for options that exclude each other, unknown attributes or genes, and whatever is wrong with the
            model.
    """
    from stylegenes.analysis.exhibits.edits import traversal_exhibit
    from stylegenes.analysis.wishes import parse_where
    from stylegenes.cli.console import say
    from stylegenes.cli.given import at_most_one
    from stylegenes.cli.places import check_exhibit_place, show_exhibit
    from stylegenes.errors import UserError
    from stylegenes.model import open_model

    if args.study is None:
        at_most_one(args.picture, "seed", "code", "which picture to edit")
    check_exhibit_place(args)
    model = open_model(args.snapshot, label=args.label, classifier=args.classifier, device=args.device)
    names = model.statistics.attributes
    if (args.set == "all") != (args.study is not None):
        raise UserError("--set all and --study NUMBER go together: a study edits every attribute of so many pictures")
    if args.study is not None:
        _study(args, model, args.study)
        return
    seed, code = args.seed, args.picture.code
    if args.traverse is not None:
        start, wish = model.genotype(code, seed), parse_where(args.set, names)[0]
        show_exhibit(
            args, model, traversal_exhibit(model.study.labeler, model.study.report, start, args.traverse, wish)
        )
        return
    made = model.edit(
        args.set,
        seed=seed if code is None else None,
        code=code,
        genes=args.genes,
        rank=args.rank,
        hold=args.hold or "",
        method=args.method,
    )
    for line in made.lines:
        say(line)
    if not made.genes and args.method == "checked":
        say("nothing tried was worth its side effects; --method statistics does not look at them")
    show_exhibit(args, model, made.exhibit)


def _study(args: Args, model: Model, num: int) -> None:
    """Every attribute of `num` pictures, edited against its present state."""
    from stylegenes.analysis.edit_study import study_edits
    from stylegenes.analysis.exhibits.edits import edit_study_exhibit
    from stylegenes.cli.console import Bars, say
    from stylegenes.cli.places import show_exhibit
    from stylegenes.errors import UserError
    from stylegenes.notation import parse_hold
    from stylegenes.progress import naming

    hold = parse_hold(args.hold or "", model.statistics.attributes)
    if hold.attributes:
        raise UserError(f"--hold {args.hold}: a study edits every attribute, so that it can hold genes only")
    if num < 1:
        raise UserError(f"--study {num} must be at least one picture")
    if args.picture.code is not None:
        raise UserError("--code names one picture; a study takes those of successive seeds, from --seed on")
    first, make = args.seed, model.editor(args.genes, args.rank, hold, args.method)
    genotypes = model.choose(seeds=list(range(first, first + num))).codes.cpu()
    with Bars() as bars:
        study = study_edits(model.study.labeler, genotypes, make, on_progress=naming("editing", bars.update))
    caption = (
        f"Every attribute of {num} pictures edited against its present state, up to {args.genes} genes at rank "
        f"{args.rank:g} for each edit, chosen {_CHOSEN[args.method]}; mean absolute change of "
        f"{model.classifier.name}'s probability. In the right panel each point is an edited attribute; above the line "
        "it changes more than the others do in the mean."
    )
    show_exhibit(args, model, edit_study_exhibit(study, args.method, caption))
    say(
        f"means over {len(study.attributes)} attributes: wanted change {study.achieved.mean():+.3f}, others "
        f"{study.side_effect.mean():.3f}, flipped {study.flipped.mean():.1%}, no other changed more in "
        f"{study.foremost.mean():.1%} of the edits"
    )
