"""publish a model or a classifier on the Hugging Face hub; hf://owner/name is then taken wherever one is

Examples:
  stylegenes push runs/0001 me/faces                    safetensors, card and sample pictures, in one commit
  stylegenes push runs/0001 me/faces --private --license cc-by-4.0
  stylegenes push runs/0001 me/faces --to tree          the very files in a folder, without a network
  stylegenes push my-classifier me/judge                what stylegenes classifier wrote, for --classifier hf://me/judge
  stylegenes sample hf://me/faces                       and back; hf://me/faces@COMMIT stays what it is
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import tyro

from stylegenes.errors import UserError

if TYPE_CHECKING:
    from stylegenes.hub import Address, Kind


@dataclass(frozen=True)
class Args:
    """Publish a model or a classifier on the Hugging Face hub."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), shipped model, or hf://owner/name; or a classifier"""
    repo: tyro.conf.Positional[str]
    """owner/name on the hub; owner/name@branch for another branch than main"""
    to: Path | None = None
    """write the very files into this folder instead, without a network"""
    private: bool = False
    """a repository that is made here is seen by its owner alone"""
    license: str | None = None
    """terms of the weights, such as apache-2.0 or cc-by-4.0 (default: what the model's card says)"""
    seeds: str = "0-15"
    """seeds of the sample pictures"""
    label: str | None = None
    """for a conditional model: the label of the sample pictures (default: one class after the other)"""
    half: bool = False
    """store float16, half the size"""
    message: str = "A model of stylegenes"
    """what the commit says"""


def run(args: Args) -> None:
    """Write the files, publish them, and say the address.

    Raises:
        UserError: for a bad model or name, or when the hub refuses.
    """
    from stylegenes.cli.console import say
    from stylegenes.files import atomic_folder, replaceable_folder
    from stylegenes.hub import parse_address, upload
    from stylegenes.metrics import holds_classifier
    from stylegenes.words import command, counted

    address = parse_address(args.repo)
    if args.to is None and not args.message.strip():
        raise UserError("--message is empty; a commit says something")
    tree = _classifier(args, address) if holds_classifier(args.snapshot) else _model(args, address)
    if args.to is not None:
        place = replaceable_folder(args.to, tree.names, f"published {tree.kind.name}")
        with atomic_folder(place) as folder:
            tree.write(folder)
        say(f"{counted(len(_files(place)), 'file')}, as {address} would hold them, in {place}")
        return
    with TemporaryDirectory() as name:
        tree.write(Path(name))
        published = upload(Path(name), address, kind=tree.kind, private=args.private, message=args.message)
    say(f"published as {published}; for everybody who may see it: {command(*tree.use)}")


@dataclass(frozen=True)
class _Tree:
    """What is published.

    Attributes:
        kind: of repository.
        names: that the folder of `--to` may hold.
        write: fills an empty folder.
        use: a command line for those who may see it.
    """

    kind: Kind
    names: frozenset[str]
    write: Callable[[Path], None]
    use: tuple[str, ...]


def _model(args: Args, address: Address) -> _Tree:
    from stylegenes.hub import MODEL
    from stylegenes.model import open_model
    from stylegenes.notation import parse_seeds
    from stylegenes.publishing import OTHERS, write_tree

    seeds = parse_seeds(args.seeds)
    model = open_model(args.snapshot, label=args.label, device="cpu")

    def write(folder: Path) -> None:
        write_tree(folder, model, address.repo, seeds=seeds, license=args.license, half=args.half)

    return _Tree(MODEL, frozenset({*MODEL.all, *OTHERS}), write, ("sample", str(address)))


def _classifier(args: Args, address: Address) -> _Tree:
    from stylegenes.hub import CLASSIFIER
    from stylegenes.metrics import find_classifier
    from stylegenes.publishing import README, write_classifier_tree

    unused = [name for name in ("seeds", "label", "half") if getattr(args, name) != getattr(Args, name)]
    if unused:
        raise UserError(f"{args.snapshot} is a classifier, which draws nothing; leave out --{', --'.join(unused)}")
    place = find_classifier(args.snapshot)

    def write(folder: Path) -> None:
        write_classifier_tree(folder, place, address.repo, license=args.license)

    use = ("survey", "MODEL", "--classifier", str(address))
    return _Tree(CLASSIFIER, frozenset({*CLASSIFIER.all, README}), write, use)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
