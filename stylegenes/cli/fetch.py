"""store the weights of a frozen judge

Examples:
  stylegenes fetch                                                      what there is, and what is missing
  stylegenes fetch inception --source pt_inception-2015-12-05-6726825d.pth
  stylegenes fetch inception --source https://example.org/weights.pth --sha256 6726825d...
  stylegenes fetch vgg16 --source vgg16-397923af.pth
  stylegenes fetch lpips-vgg --source vgg.pth                           the linear heads of LPIPS

A file is taken only if its sha256 and every tensor's name and shape are right. Nothing in it is executed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from stylegenes.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Args:
    """Store the weights of a frozen judge."""

    name: Annotated[str | None, tyro.conf.Positional] = None
    """inception, vgg16 or lpips-vgg; nothing lists them"""
    source: str | None = None
    """a file, or a URL (https)"""
    sha256: str | None = None
    """the hash that the file must have, or its first digits, where it is not the published one"""


@dataclass(frozen=True)
class Fetchable:
    """A file of weights that a user may bring.

    Attributes:
        file: its name in the folder of weights.
        sha256: first digits of the published file's hash; "" where the publisher states none.
        what: what it is and what it is for.
        check: reads a candidate; raises UserError when it does not fit.
    """

    file: str
    sha256: str
    what: str
    check: Callable[[Path], object]


def fetchables() -> dict[str, Fetchable]:
    """The table of files by name."""
    from stylegenes.perception.inception import FILE, PUBLISHED_HASH, InceptionTrunk
    from stylegenes.perception.lpips import HEADS_FILE, VGG_FILE, VGG16Taps, check_heads
    from stylegenes.perception.weights import load_tensors

    return {
        "inception": Fetchable(
            FILE,
            PUBLISHED_HASH,
            "the 2015 Inception graph in its published PyTorch conversion, for FID",
            lambda path: InceptionTrunk().load(load_tensors(path)),
        ),
        "vgg16": Fetchable(
            VGG_FILE, "397923af", "torchvision's VGG16, for LPIPS", lambda path: VGG16Taps().load(load_tensors(path))
        ),
        "lpips-vgg": Fetchable(
            HEADS_FILE, "", "the linear heads of LPIPS 0.1 on VGG16", lambda path: check_heads(load_tensors(path))
        ),
    }


def run(args: Args) -> None:
    """Store a file of weights, or list what there is.

    Raises:
        UserError: for an unknown name, a source that cannot be read, or a file that does not fit.
    """
    from stylegenes.cli.console import say
    from stylegenes.perception.weights import weights_folder

    table = fetchables()
    if args.name is None:
        for name, item in table.items():
            state = "present" if (weights_folder() / item.file).is_file() else "missing"
            say(f"{name:<10} {state}  {item.what}")
        return
    if args.name not in table:
        raise UserError(f"there are no weights {args.name!r} to fetch; there are: {', '.join(table)}")
    if args.source is None:
        raise UserError(f"say where {table[args.name].what} is: stylegenes fetch {args.name} --source FILE|URL")
    path = store(table[args.name], args.source, args.sha256)
    say(f"{args.name} is in {path}")


def store(item: Fetchable, source: str, sha256: str | None) -> Path:
    """Bring a file, check it and put it in place, all or nothing.

    Raises:
        UserError: as `run`.
    """
    from stylegenes.files import atomic_path
    from stylegenes.perception.weights import check_hash, weights_folder

    target = weights_folder() / item.file
    with atomic_path(target) as part:
        _bring(source, part)
        try:
            check_hash(part, sha256 or item.sha256)
        except UserError as error:
            hint = "" if sha256 else "; if you mean this very file, add --sha256 with its hash"
            raise UserError(f"{source}: {str(error).partition(' ')[2]}{hint}") from error
        item.check(part)
    return target


def _bring(source: str, target: Path) -> None:
    import shutil
    from urllib.error import URLError
    from urllib.request import urlopen

    if not source.startswith(("https://", "http://")):
        try:
            shutil.copyfile(Path(source).expanduser(), target)
        except OSError as error:
            raise UserError(f"cannot read {source}: {error.strerror}") from error
        return
    try:
        with urlopen(source, timeout=60) as reply, target.open("wb") as file:
            shutil.copyfileobj(reply, file)
    except (URLError, OSError) as error:
        raise UserError(f"cannot download {source}: {error}") from error
