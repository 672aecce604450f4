"""Models and classifiers on the Hugging Face hub: `hf://owner/name@revision` is a folder in the hub's own cache.

Only files of our own format are ever downloaded, so that a repository's pickles stay where they are. Each is compared
with the hash that the hub knows it by. Without a network, what the cache has is used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path, PurePath
from typing import Any

from stylegenes.errors import UserError, shown


@dataclass(frozen=True)
class Kind:
    """What a repository may hold.

    Attributes:
        name: what it is called.
        head: the small files that tell whether a repository holds one of ours.
        weights: the file that all of this kind have.
        files: what else is downloaded.
    """

    name: str
    head: tuple[str, ...]
    weights: str
    files: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """All that is downloaded."""
        return (*self.head, self.weights, *self.files)


MODEL = Kind(
    "model",
    ("config.json", "card.json"),
    "model.safetensors",
    ("card.md", "discriminator.safetensors", "genes/summary.safetensors", "genes/classifier.json"),
)
CLASSIFIER = Kind("classifier", ("config.json",), "classifier.safetensors", ("report.json",))
KINDS = (MODEL, CLASSIFIER)

_NAME = r"[A-Za-z0-9][\w.-]{0,95}"
_ADDRESS = re.compile(rf"(?:hf:/+)?({_NAME}/{_NAME})(?:@([\w./-]+))?")
_CACHED = re.compile(r"models--(.+?)--(.+)")
_HASH = {40: "sha1", 64: "sha256"}


@dataclass(frozen=True)
class Address:
    """A repository of the hub, at one of its revisions.

    Attributes:
        repo: `owner/name`.
        revision: a branch, a tag or a commit; None is the newest of `main`.
    """

    repo: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"hf://{self.repo}" + ("" if self.revision is None else f"@{self.revision}")


def is_address(name: str | PathLike[str]) -> bool:
    """Whether a name is one of the hub's; a `Path` of it has lost a slash."""
    return _text(name).startswith("hf:/")


def parse_address(name: str | PathLike[str]) -> Address:
    """`owner/name` or `hf://owner/name`, with `@revision` where one is meant.

    Raises:
        UserError: for text of another form.
    """
    found = _ADDRESS.fullmatch(_text(name))
    if found is None:
        given = shown(re.sub("^hf:/+", "hf://", _text(name)))
        raise UserError(f"{given} names no repository of the hub; write hf://OWNER/NAME or hf://OWNER/NAME@REVISION")
    return Address(found[1], found[2])


def _text(name: str | PathLike[str]) -> str:
    return name.as_posix() if isinstance(name, PurePath) else str(name)


def address_of(folder: Path) -> Address | None:
    """The address that a folder of the hub's cache was downloaded from, with its commit; None for other folders."""
    found = _CACHED.fullmatch(folder.parent.parent.name) if folder.parent.name == "snapshots" else None
    return None if found is None else Address(f"{found[1]}/{found[2]}", folder.name)


@cache
def fetch(address: Address, check: Callable[[Path], None], kind: Kind = MODEL) -> Path:
    """The folder of a model or classifier, downloaded or from the cache; the same one for all of this process.

    Args:
        address: what is asked for.
        check: raises UserError for a folder whose `head` is not that of the kind; weights are downloaded after it.
        kind: what is wanted.

    Raises:
        UserError: without the package huggingface_hub, for a repository that is not there or holds none of ours,
            for a damaged file, and without a network when the cache does not have all of it.
    """
    with _in_sentences(address):
        folder = _download(address, kind.head)
        if not all((folder / name).is_file() for name in kind.head):
            raise UserError(f"{address} holds no {kind.name} of stylegenes: {_what_it_holds(address, folder, kind)}")
        _verify(folder)
        check(folder)
        folder = _download(Address(address.repo, folder.name), kind.all)
    _verify(folder)
    return folder


def upload(folder: Path, address: Address, *, kind: Kind = MODEL, private: bool, message: str) -> Address:
    """Make the repository where there is none, and put all files of `folder` there in one commit.

    Files that an earlier version had and this one has not are taken away; files of others stay.

    Args:
        folder: what is published.
        address: where; the revision is a branch.
        kind: what is published.
        private: whether a new repository is seen by its owner alone.
        message: of the commit.

    Returns:
        The address with the commit.

    Raises:
        UserError: without the package, without a token that may write there, or when the hub cannot be reached; for a
            repository that holds another kind of ours.
    """
    hub = _client()
    if hub.get_token() is None:
        raise UserError("publishing needs a token of the hub that may write: hf auth login, or HF_TOKEN=... before it")
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    api = hub.HfApi()
    with _in_sentences(address):
        api.create_repo(address.repo, private=private or None, exist_ok=True)
        if address.revision is not None:
            api.create_branch(address.repo, branch=address.revision, exist_ok=True)
        there = api.list_repo_files(address.repo, revision=address.revision)
        for other in KINDS:
            if other != kind and other.weights in there:
                raise UserError(
                    f"{address} holds a {other.name}, which would no longer load; give the {kind.name} another name"
                )
        changes = [hub.CommitOperationAdd(name, folder / name) for name in names]
        changes += [hub.CommitOperationDelete(name) for name in sorted(set(there) & set(kind.all) - set(names))]
        done = api.create_commit(address.repo, changes, commit_message=message, revision=address.revision)
    return Address(address.repo, done.oid)


def _download(address: Address, names: Sequence[str]) -> Path:
    hub = _client()
    return Path(hub.snapshot_download(address.repo, revision=address.revision, allow_patterns=list(names)))


def _what_it_holds(address: Address, folder: Path, kind: Kind) -> str:
    """The files of a repository that is not ours, in half a sentence."""
    try:
        names = sorted(_client().HfApi().list_repo_files(address.repo, revision=folder.name))
    except OSError:
        names = []
    listed = ", ".join(shown(name) for name in names[:6]) + (", ..." if len(names) > 6 else "")
    other = next((other for other in KINDS if other != kind and other.weights in names), None)
    if other is not None:
        return f"it holds a {other.name}"
    missing = " and ".join(name for name in kind.head if name not in names)
    return f"it has no {missing}" + (f" but {listed}; nothing of it was read" if names else "")


def _verify(folder: Path) -> None:
    """Compare every file with the hash that the cache names it by.

    Raises:
        UserError: for a file of other content; says what to remove.
    """
    for file in sorted(folder.rglob("*")):
        blob = file.resolve()
        kind = _HASH.get(len(blob.name)) if re.fullmatch(r"[0-9a-f]+", blob.name) else None
        if kind is None or not blob.is_file():
            continue
        digest = hashlib.new(kind)
        if kind == "sha1":
            # Small files go by git's name, which counts a header in.
            digest.update(f"blob {blob.stat().st_size}\0".encode())
        with blob.open("rb") as stream:
            while part := stream.read(1 << 20):
                digest.update(part)
        if digest.hexdigest() != blob.name:
            where = folder.name[:12]
            raise UserError(
                f"{file.relative_to(folder)} of {address_of(folder)} is damaged: its {kind} is not the one that the "
                f"hub has for {where}; remove {blob} and {file}, and the next call downloads it again"
            )


def _client() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError as error:
        raise UserError(
            "models and classifiers on the hub need the package huggingface_hub: pip install 'stylegenes[hub]'"
        ) from error
    return huggingface_hub


@contextmanager
def _in_sentences(address: Address) -> Iterator[None]:
    """What goes wrong between here and the hub, as a sentence with what to do."""
    errors = _client().errors
    login = "log in (hf auth login, or HF_TOKEN) where it is private"
    try:
        yield
    except errors.GatedRepoError as error:
        raise UserError(f"{address} is gated: ask for access on its page, then log in (hf auth login)") from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(f"there is no repository {address.repo} on the hub; check the name, or {login}") from error
    except errors.RevisionNotFoundError as error:
        raise UserError(
            f"{address.repo} has no revision {address.revision!r}: no such branch, tag or commit"
        ) from error
    except errors.LocalEntryNotFoundError as error:
        raise UserError(
            f"the hub cannot be reached, and its cache does not have all of {address}; go online once, and it will be "
            "there from then on"
        ) from error
    except errors.OfflineModeIsEnabled as error:
        raise UserError("HF_HUB_OFFLINE is set, and this needs the hub; unset it") from error
    except errors.HfHubHTTPError as error:
        raise UserError(f"{address}: {_refusal(error)}") from error
    except errors.HFValidationError as error:
        raise UserError(f"{address.repo} cannot be the name of a repository: {shown(error, 200)}") from error
    except errors.HTTPError as error:
        raise UserError(f"the hub cannot be reached ({shown(error, 200)})") from error


def _refusal(error: Any) -> str:
    status = getattr(error.response, "status_code", None)
    if status in (401, 403):
        return "the token may not do this; make one that may write there, and log in with it (hf auth login)"
    return f"the hub answers {status}: {shown(getattr(error, 'server_message', None) or error, 300)}"
