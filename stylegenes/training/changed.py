"""What to say when a run meets other data than it began with: what differs, and how to go on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stylegenes.errors import UserError
from stylegenes.snapshot import DataCard, read_card
from stylegenes.training.feed import Data
from stylegenes.training.resolve import read_config
from stylegenes.training.state import STATE_FILE
from stylegenes.words import command, counted

_LISTED = 8


def check_labels(folder: Path, data: Data) -> None:
    """Refuse to continue a run with other labels than it began with, before networks are built for them.

    Raises:
        UserError: says which labels are gone, new or in another place.
    """
    before = _before(folder)
    if (folder / STATE_FILE).exists() and before is not None and before.label_names != list(data.label_names):
        raise UserError(other_data(folder, data))


def other_data(folder: Path, data: Data) -> str:
    """Why `data` is not what the run in `folder` was trained on, as far as its newest snapshot tells."""
    before = _before(folder)
    differing = "other pictures or labels of the same names and number" if before is None else _differing(before, data)
    config = read_config(folder)
    recipe = ["--recipe", config.recipe] if config.recipe else []
    labels = ["--set", "data.labels=true"] if config.data.labels else []
    begin = command("train", Path(data.source), *recipe, *labels, "--init-from", folder, "--out", "NEW")
    return (
        f"{folder} was trained on other data: {differing}. Put the data back as it was, or begin a new run from this "
        f"one's networks: {begin}"
    )


def moved(folder: Path, source: str) -> str:
    """What to do when the data of a run is not where it was."""
    go_on = command("train", folder, "--set", "data.source=NEW-PLACE")
    return f"this run was trained on {source}; if it lies elsewhere now: {go_on}"


def _before(folder: Path) -> DataCard | None:
    try:
        return read_card(folder / "snapshots" / "last").data
    except UserError:
        return None


def _differing(before: DataCard, data: Data) -> str:
    labels = _labels(before.label_names, data.label_names)
    if before.count != len(data):
        pictures = f"{counted(before.count, 'picture')} then, {len(data):,} now"
        return f"{labels}; {pictures}" if labels else pictures
    return labels or f"the same number of pictures ({before.count:,}), but not the same pictures or values of labels"


def _labels(before: Sequence[str], now: Sequence[str]) -> str:
    """Labels that are gone, new or moved, in words; "" where they are the same."""
    gone, new = [name for name in before if name not in now], [name for name in now if name not in before]
    parts = [f"{word} {_listed(names)}" for word, names in (("labels gone:", gone), ("new labels:", new)) if names]
    if not parts and list(before) != list(now):
        parts = ["the same labels in another order"]
    return "; ".join(parts)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
