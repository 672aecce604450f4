"""A classifier on disk: a folder of safetensors and JSON; and one loader for these and for users' own scorers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from stylegenes.data.protocols import LabeledImages
from stylegenes.errors import UserError, shown
from stylegenes.files import (
    atomic_folder,
    file_hash,
    read_json,
    read_object,
    replaceable_folder,
    settle_folder,
    write_json,
)
from stylegenes.hub import CLASSIFIER, address_of, fetch, is_address, parse_address
from stylegenes.metrics.classifier_training import ClassifierSettings, Trained
from stylegenes.perception import (
    AttributeClassifier,
    CalibratedClassifier,
    Scoring,
    TableScorer,
    exported_scorer,
    onnx_scorer,
)
from stylegenes.shape import Count, as_record
from stylegenes.sheets import MADE_FILE
from stylegenes.size import Resolution
from stylegenes.snapshot import MODELS, load_strictly
from stylegenes.words import command, nearest_place

FORMAT = "stylegenes-classifier"
WEIGHTS = "classifier.safetensors"
_FILES = frozenset({WEIGHTS, "config.json", "report.json", MADE_FILE})


def save_classifier(
    path: str | Path, trained: Trained, settings: ClassifierSettings, data: LabeledImages, made: str = ""
) -> Path:
    """Write a folder of `classifier.safetensors`, `config.json` and `report.json`, all or nothing.

    Args:
        path: the folder.
        trained: the classifier and its test.
        settings: of its training.
        data: what it was trained on.
        made: what makes it, see `sheets.free_path`; "" keeps no note of it.

    Returns:
        The folder.

    Raises:
        UserError: when `path` holds something else.
        OSError: when the folder cannot be written.
    """
    place = check_place(path)
    classifier = trained.classifier
    state = {key: value.detach().cpu().contiguous() for key, value in classifier.state_dict().items()}
    with atomic_folder(place) as folder:
        save_file(state, folder / WEIGHTS)
        config = {
            "format": FORMAT,
            "network": classifier.network_spec,
            "attributes": classifier.attributes,
            "resolution": classifier.resolution,
            "image_channels": classifier.image_channels,
            "sha256": file_hash(folder / WEIGHTS),
            "settings": asdict(settings),
            "data": {"source": data.source, "hash": data.content_hash},
        }
        write_json(folder / "config.json", config)
        write_json(folder / "report.json", trained.report.to_json())
        if made:
            (folder / MADE_FILE).write_text(made + "\n", encoding="utf-8")
    return place


def check_place(path: str | Path) -> Path:
    """Refuse a place that holds anything but a classifier: writing one replaces the folder as a whole.

    Raises:
        UserError: for a file, or a folder of other things.
    """
    return replaceable_folder(path, _FILES, "classifier")


def load_classifier(path: str | Path, device: torch.device | str = "cpu") -> AttributeClassifier:
    """An attribute classifier in eval mode.

    Args:
        path: a folder that `save_classifier` wrote, the name of a shipped one, or `hf://owner/name`; or TorchScript
            (.pt, .ts), an exported program (.pt2) or ONNX (.onnx), each beside a JSON file of the same stem with the
            fields of `perception.Scoring`; or a .csv table of labels of sampled pictures.
        device: where it goes.

    Raises:
        UserError: when there is none, it is damaged, or its weights do not fit.
    """
    path = find_classifier(path)
    if path.is_dir():
        return _load_folder(path).to(device)
    if not path.exists():
        meant = nearest_place(path, shipped_classifiers())
        hint = ";" if meant is None else f"; did you mean {meant!r}?"
        raise UserError(
            f"there is no classifier {path}{hint} shipped classifiers: "
            f"{', '.join(shipped_classifiers())}; train one with: {command('classifier', 'DATA', '--out', path)}"
        )
    if path.suffix not in _READERS:
        raise UserError(f"{path} is no classifier; give a folder, or a file of {', '.join(_READERS)}")
    return _READERS[path.suffix](path).to(device)


def shipped_classifiers() -> list[str]:
    """Names of the classifiers that come with the package, sorted."""
    return sorted(file.parent.name for file in MODELS.glob(f"*/{WEIGHTS}"))


def find_classifier(path: str | Path) -> Path:
    """The place that is meant: one of the hub, a path where there is something, or a shipped classifier's name.

    Raises:
        UserError: for an address of the hub that cannot be had, or holds something else.
    """
    if is_address(path):
        return fetch(parse_address(path), lambda folder: _check_format(folder, _config_of(folder)), CLASSIFIER)
    place = settle_folder(Path(path).expanduser())
    return MODELS / str(path) if not place.exists() and str(path) in shipped_classifiers() else place


def holds_classifier(path: str | Path) -> bool:
    """Whether that is a classifier's folder, or the name of a shipped one."""
    if is_address(path):
        return False
    place = find_classifier(path)
    return (place / "config.json").is_file() and _config_of(place).get("format") == FORMAT


def _config_of(folder: Path) -> dict[str, Any]:
    return read_object(folder / "config.json")


def _check_format(folder: Path, config: dict[str, Any]) -> None:
    if config.get("format") != FORMAT:
        raise UserError(
            f"{address_of(folder) or folder} is not a classifier: its config.json does not say {FORMAT!r}; give one "
            "that stylegenes classifier wrote"
        )


def _load_folder(folder: Path) -> AttributeClassifier:
    if not (folder / "config.json").is_file():
        raise UserError(
            f"{folder} holds no classifier (no config.json); give a folder of stylegenes classifier, or one that comes "
            f"with the package: {', '.join(shipped_classifiers())}"
        )
    config = _config_of(folder)
    _check_format(folder, config)
    file, address = folder / WEIGHTS, address_of(folder)
    try:
        about = as_record(_About, {key: config.get(key) for key in _About.__annotations__}, "config.json")
    except UserError as error:
        raise UserError(f"{folder} is damaged: {error}") from error
    if not file.is_file() or file_hash(file) != about.sha256:
        raise UserError(f"{file} is missing or damaged: its sha256 is not the one in config.json")
    classifier = CalibratedClassifier(
        about.network,
        about.attributes,
        resolution=about.resolution,
        image_channels=about.image_channels,
        name=folder.name if address is None else str(address),
        weights_hash=about.sha256,
    )
    try:
        state = load_file(file)
    except SafetensorError as error:
        raise UserError(f"{file} is damaged: {shown(error, 200)}") from error
    load_strictly(classifier, state, str(file))
    classifier.tested = _tested(folder / "report.json")
    return classifier.eval().requires_grad_(False)


def _tested(report: Path) -> dict[str, float | None]:
    """The AUC of every attribute in a report; nothing where there is none, or it is another file of that name."""
    if not report.is_file():
        return {}
    values = read_json(report)
    rows = values.get("attributes") if isinstance(values, dict) else None
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    known = {str(row.get("name")): row.get("auc", "") for row in rows}
    return {name: auc for name, auc in known.items() if auc is None or isinstance(auc, int | float)}


@dataclass(frozen=True)
class _About:
    """What a classifier's config.json says that rebuilds it."""

    network: dict[str, Any]
    attributes: list[str]
    resolution: Resolution
    image_channels: Count
    sha256: str


def read_scoring(path: Path) -> Scoring:
    """The description beside an exported file: `scorer.json` for `scorer.onnx`.

    Raises:
        UserError: when it is missing or has other fields.
    """
    values = read_json(path.with_suffix(".json"))
    try:
        return as_record(Scoring, values, "it")
    except UserError as error:
        raise UserError(
            f"{path.with_suffix('.json')} does not describe a scorer ({error}); it needs 'attributes' and "
            "'resolution', and may have 'logits', 'low', 'high', 'channels'"
        ) from error


_READERS: dict[str, Callable[[Path], AttributeClassifier]] = {
    ".pt": lambda path: exported_scorer(path, read_scoring(path)),
    ".ts": lambda path: exported_scorer(path, read_scoring(path)),
    ".pt2": lambda path: exported_scorer(path, read_scoring(path)),
    ".onnx": lambda path: onnx_scorer(path, read_scoring(path)),
    ".csv": TableScorer,
}
