"""Snapshots: a generator to use, in a folder of safetensors and JSON with its provenance. No pickle is ever written.

A snapshot is a folder of `model.safetensors` (the generator), `config.json` (the specs that rebuild it and the hashes
of the weights), `card.json` (where it comes from), `card.md` (the same for people) and, where one was given,
`discriminator.safetensors`.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.discriminators.base import Discriminator
from stylegenes.errors import UserError, shown
from stylegenes.files import (
    atomic_folder,
    check_regular,
    file_hash,
    read_object,
    read_record,
    replaceable_folder,
    settle_all,
    settle_folder,
    write_json,
)
from stylegenes.generator import Generator
from stylegenes.hub import CLASSIFIER, address_of, fetch, is_address, parse_address
from stylegenes.shape import check
from stylegenes.size import Resolution
from stylegenes.version import __version__
from stylegenes.words import nearest_place

log = logging.getLogger(__name__)

FORMAT = "stylegenes-snapshot"
FORMAT_VERSION = 1
MODELS = Path(__file__).parent / "models"
"""Snapshots shipped with the package, by name."""


@dataclass(frozen=True)
class DataCard:
    """What a generator was trained on.

    Attributes:
        source: the path or word that the data set was opened with.
        hash: its content hash.
        count: number of images.
        resolution: size in pixels that they were trained at: a number for squares, else `384x256`; 0 where unknown.
        label_names: names of the label's columns; empty for an unconditional model.
        fit: how other shapes became square, `crop` or `letterbox`.
    """

    source: str
    hash: str = ""
    count: int = 0
    resolution: Literal[0] | Resolution = 0
    label_names: list[str] = field(default_factory=list)
    fit: Literal["crop", "letterbox"] = "crop"


@dataclass(frozen=True)
class Card:
    """Where a generator comes from.

    Attributes:
        name: what people call the model.
        recipe: the recipe it was trained with.
        images_seen: real images shown to the discriminator.
        data: what it was trained on.
        license: the terms of the weights; the data's owner may set them.
        parent: the snapshot that training started from, if any.
        created: UTC time in ISO 8601.
        stylegenes: version that wrote it.
        torch: version it was trained with.
        metrics: results by metric name.
        notes: anything else a user should know.
    """

    name: str
    recipe: str = ""
    images_seen: int = 0
    data: DataCard | None = None
    license: str = "unspecified"
    parent: str | None = None
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    stylegenes: str = __version__
    torch: str = torch.__version__
    metrics: dict[str, float] = field(default_factory=dict)
    notes: str = ""


_FILES = frozenset({"config.json", "card.json", "card.md", "model.safetensors", "discriminator.safetensors"})
"""Everything that a snapshot's folder has."""


@dataclass(frozen=True)
class Snapshot:
    """A generator to use, the discriminator that trained it if it was kept, and the card."""

    generator: Generator
    discriminator: Discriminator | None
    card: Card


def save_snapshot(
    path: str | PathLike[str],
    generator: Generator,
    card: Card,
    *,
    discriminator: Discriminator | None = None,
    half: bool = False,
) -> Path:
    """Write a snapshot folder, all or nothing, over an older one of the same name. Returns its path.

    Args:
        path: the folder to write.
        generator: built from a spec; usually the EMA copy.
        card: its provenance.
        discriminator: kept too when given (analysis and transfer learning want it).
        half: store float16, half the size; it loads as float32.

    Raises:
        UserError: when `half` would overflow a weight.
        OSError: when the folder cannot be written or the disk is full; an older snapshot stays whole.
    """
    config: dict[str, Any] = {"format": FORMAT, "format_version": FORMAT_VERSION, "generator": generator.spec}
    with atomic_folder(path) as folder:
        config["sha256"] = {"model.safetensors": _write_weights(folder / "model.safetensors", generator, half)}
        if discriminator is not None:
            config["discriminator"] = discriminator.spec
            file = folder / "discriminator.safetensors"
            config["sha256"][file.name] = _write_weights(file, discriminator, half)
        write_json(folder / "config.json", config)
        write_json(folder / "card.json", asdict(card))
        (folder / "card.md").write_text(describe(card, generator), encoding="utf-8")
    return Path(path)


def place_for_snapshot(path: str | PathLike[str]) -> Path:
    """Returns `path` when `save_snapshot` may write there: it is free, or holds an older snapshot and nothing else.

    Commands that write where the user says ask this first, since whatever else is in the folder would be lost.

    Raises:
        UserError: names what is in the way.
    """
    return replaceable_folder(path, _FILES, "snapshot")


def load_snapshot(path: str | PathLike[str], device: torch.device | str = "cpu") -> Snapshot:
    """Read a snapshot: networks in eval mode, float32, on `device`, without gradients.

    Args:
        path: a snapshot folder, a run folder (its newest snapshot), the name of a model shipped with the package, or
            `hf://owner/name@revision`.
        device: where the networks go.

    Raises:
        UserError: when there is none, when it is damaged, or when its keys are not exactly the network's.
    """
    folder = find_snapshot(path)
    config = read_object(folder / "config.json")
    try:
        return _load(folder, config, device)
    except UserError:
        # A training that goes on replaces its last snapshot, perhaps between two files that are read here.
        if read_object(settle_folder(folder) / "config.json") == config:
            raise
    return load_snapshot(path, device)


def _load(folder: Path, config: dict[str, Any], device: torch.device | str) -> Snapshot:
    _check_format(folder, config)
    generator = _build(folder, config)
    _read_weights(folder / "model.safetensors", generator, config)
    discriminator = None
    if "discriminator" in config:
        discriminator = DISCRIMINATORS.build(config["discriminator"])
        _read_weights(folder / "discriminator.safetensors", discriminator, config)
        discriminator.eval().requires_grad_(False).to(device)
    generator.eval().requires_grad_(False).to(device)
    return Snapshot(generator, discriminator, read_card(folder))


def read_card(folder: str | PathLike[str]) -> Card:
    """The card of a snapshot folder, without loading the networks.

    Raises:
        UserError: when it is missing, damaged or has fields that no card has.
    """
    return read_record(Path(folder) / "card.json", Card)


def find_snapshot(path: str | PathLike[str]) -> Path:
    """The snapshot folder that `path` means: itself, the newest one in a run folder, a shipped model's name, or one of
    the hub (`hf://owner/name@revision`), which is downloaded.

    Raises:
        UserError: when there is none; says what was looked for.
    """
    if not isinstance(path, str | PathLike) or not str(path):
        raise UserError(f"{path!r} is not a snapshot; shipped models: {', '.join(shipped_models())}")
    if is_address(path):
        return fetch(parse_address(path), _check_folder)
    folder = settle_folder(Path(path).expanduser())
    if (folder / "config.json").exists() and (folder / "card.json").exists():
        return folder
    if (newest := newest_snapshot(folder / "snapshots")) is not None:
        return newest
    if str(path) in shipped_models():
        return MODELS / str(path)
    raise UserError(f"{path} is not a snapshot: {_what_it_is(str(path), folder)}")


def _what_it_is(name: str, folder: Path) -> str:
    """What is there instead of a snapshot, or what was perhaps meant."""
    shipped = f"shipped models: {', '.join(shipped_models())}"
    if CLASSIFIER.weights in {file.name for file in folder.glob("*.safetensors")}:
        return f"it is an attribute classifier, which --classifier takes; {shipped}"
    if folder.is_dir():
        return f"the folder has no config.json and card.json, nor snapshots/ with them; {shipped}"
    if folder.exists():
        return f"it is a file, and a snapshot is a folder; {shipped}"
    if (MODELS / name / CLASSIFIER.weights).is_file():
        return f"it is a classifier that comes with the package; {shipped}"
    meant = nearest_place(folder, shipped_models())
    hint = ";" if meant is None else f"; did you mean {meant!r}?"
    return f"there is no such folder{hint} {shipped}"


def newest_snapshot(folder: Path) -> Path | None:
    """The snapshot in a folder of them that saw most images, by what their cards say; None where there is none.

    Hidden folders, which are half written or half replaced, do not count.
    """
    settle_all(folder)
    # Of several that saw as much, `last` is the one that a run goes on with.
    found = [((seen, place.name == "last", place.name), place) for place, seen in seen_by_snapshots(folder)]
    return max(found)[1] if found else None


def seen_by_snapshots(folder: Path, pattern: str = "*") -> list[tuple[Path, int]]:
    """Snapshots in a folder of them with the images that they saw, fewest first; a card that is damaged says -1."""
    found = []
    for file in folder.glob(f"{pattern}/card.json"):
        if file.parent.name.startswith("."):
            continue
        try:
            found.append((file.parent, read_card(file.parent).images_seen))
        except UserError as error:
            log.warning("%s; the snapshot is passed over", error)
            found.append((file.parent, -1))
    return sorted(found, key=lambda pair: (pair[1], pair[0].name))


def shipped_models() -> list[str]:
    """Names of the models that come with the package, sorted."""
    return sorted(file.parent.name for file in MODELS.glob("*/card.json"))


def describe(card: Card, generator: Generator) -> str:
    """The card as Markdown for people."""
    synthesis = generator.synthesis
    rows = {
        "latent": generator.latent.spec["name"],
        "synthesis": f"{synthesis.spec['name']}, {synthesis.resolution} px, {synthesis.image_channels} channels",
        "parameters": f"{sum(parameter.numel() for parameter in generator.parameters()):,}",
        "recipe": card.recipe or "-",
        "images seen in training": f"{card.images_seen:,}",
        "data": f"{card.data.source} ({card.data.count:,} images, hash {card.data.hash})" if card.data else "-",
        "license": card.license,
        "parent": card.parent or "-",
        "created": f"{card.created} by stylegenes {card.stylegenes}, torch {card.torch}",
        **card.metrics,
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    notes = f"\n{card.notes}\n" if card.notes else ""
    return f"# {card.name}\n\n| | |\n|---|---|\n{table}\n{notes}"


def _check_folder(folder: Path) -> None:
    _check_format(folder, read_object(folder / "config.json"))


def _check_format(folder: Path, config: dict[str, Any]) -> None:
    if config.get("format") != FORMAT or "generator" not in config:
        place = address_of(folder) or folder
        raise UserError(f"{place} is not a snapshot of stylegenes: its config.json does not say {FORMAT!r}")
    if config.get("format_version") != FORMAT_VERSION:
        raise UserError(
            f"{folder} has snapshot format {config.get('format_version')}; this version reads {FORMAT_VERSION}. "
            "Install the stylegenes that wrote it (card.json names it)"
        )
    place = folder / "config.json is damaged"
    check(config["generator"], dict[str, dict[str, Any]], f"{place}: generator")
    check(config.get("sha256"), dict[str, str], f"{place}: sha256")


def _build(folder: Path, config: dict[str, Any]) -> Generator:
    try:
        return Generator.from_spec(config["generator"])
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{folder / 'config.json'} is damaged: its generator's spec does not build ({error!r})"
        ) from error


def _write_weights(file: Path, module: nn.Module, half: bool) -> str:
    """Write the state of `module`; returns the sha256 of the file."""
    state = {
        name: tensor.detach().to("cpu", torch.float16 if half and tensor.is_floating_point() else tensor.dtype)
        for name, tensor in module.state_dict().items()
    }
    for name, tensor in state.items():
        if half and not tensor.isfinite().all():
            raise UserError(f"{name} has values beyond float16's range; save the snapshot without half precision")
    # safetensors' own writer makes files that only their owner may read.
    file.write_bytes(save({name: tensor.contiguous() for name, tensor in state.items()}))
    return file_hash(file)


def _read_weights(file: Path, module: nn.Module, config: dict[str, Any]) -> None:
    if not file.exists():
        raise UserError(f"{file} is missing; the snapshot is incomplete")
    check_regular(file)
    if config["sha256"].get(file.name) != file_hash(file):
        raise UserError(f"{file} is damaged: its sha256 is not the one in config.json")
    try:
        state = load_file(file)
    except SafetensorError as error:
        raise UserError(f"{file} is damaged: {shown(error, 200)}") from error
    load_strictly(module, state, str(file))


def load_strictly(module: nn.Module, state: dict[str, torch.Tensor], where: str) -> None:
    """Copy `state` into `module`, every key and shape as it must be.

    Raises:
        UserError: names missing keys, extra keys and wrong shapes; `where` says which file they are about.
    """
    own = module.state_dict()
    problems = [f"missing: {', '.join(sorted(own.keys() - state.keys()))}"] if own.keys() - state.keys() else []
    foreign = [shown(key) for key in sorted(state.keys() - own.keys())]
    problems += [f"extra: {', '.join(foreign[:20])}{', ...' if len(foreign) > 20 else ''}"] if foreign else []
    problems += [
        f"{key} has shape {list(state[key].shape)}, expected {list(own[key].shape)}"
        for key in sorted(own.keys() & state.keys())
        if own[key].shape != state[key].shape
    ]
    if problems:
        raise UserError(f"{where} does not fit the network. " + "; ".join(problems))
    module.load_state_dict(state)
