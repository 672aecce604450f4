"""publish a model on the Hugging Face hub, from where hf://owner/name is taken wherever a model is

Examples:
  stylegenes push runs/0001 me/faces                    safetensors, card and sample pictures, in one commit
  stylegenes push runs/0001 me/faces --private --license cc-by-4.0
  stylegenes push runs/0001 me/faces --to tree          the very files in a folder, without a network
  stylegenes sample hf://me/faces                       and back; hf://me/faces@COMMIT stays what it is
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tyro

from stylegenes.errors import UserError


@dataclass(frozen=True)
class Args:
    """Publish a model on the Hugging Face hub."""

    snapshot: tyro.conf.Positional[Path]
    """snapshot folder, run folder (its newest snapshot), name of a shipped model, or hf://owner/name"""
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
    from stylegenes.files import atomic_folder
    from stylegenes.hub import parse_address, upload
    from stylegenes.model import open_model
    from stylegenes.notation import parse_seeds
    from stylegenes.publishing import OTHERS, write_tree
    from stylegenes.snapshot import place_for_snapshot
    from stylegenes.words import command, counted

    address, seeds = parse_address(args.repo), parse_seeds(args.seeds)
    place = None if args.to is None else place_for_snapshot(args.to, OTHERS)
    model = open_model(args.snapshot, label=args.label, device="cpu")
    how = {"seeds": seeds, "license": args.license, "half": args.half}
    if place is not None:
        with atomic_folder(place) as folder:
            write_tree(folder, model, address.repo, **how)
        say(f"{counted(len(_files(place)), 'file')}, as {address} would hold them, in {place}")
        return
    if not args.message.strip():
        raise UserError("--message is empty; a commit says something")
    with TemporaryDirectory() as name:
        write_tree(Path(name), model, address.repo, **how)
        published = upload(Path(name), address, private=args.private, message=args.message)
    say(f"published as {published}; for everybody who may see it: {command('sample', str(address))}")


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
