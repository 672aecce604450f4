"""Directions and components on disk (safetensors beside JSON), and tables as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from stylegenes.analysis.directions import Directions, Fit
from stylegenes.analysis.pca import Components
from stylegenes.errors import UserError
from stylegenes.files import read_object, write_json
from stylegenes.sealed import load_sealed, save_sealed
from stylegenes.shape import as_record
from stylegenes.words import did_you_mean


@dataclass(frozen=True)
class Steps:
    """Named directions of either kind, ready to be moved along.

    Attributes:
        space: `z` or `w`.
        model: fingerprint of the generator that they belong to.
        names: what can be asked for.
        found: the directions, or the components.
    """

    space: str
    model: str
    names: list[str]
    found: Directions | Components

    def vector(self, name: str, hold: Sequence[str] = ()) -> torch.Tensor:
        """The step [C] of one standard deviation along `name`, with the held attributes' logits unchanged.

        Raises:
            UserError: for an unknown name, or components asked to hold something.
        """
        if name not in self.names:
            raise UserError(f"there is no direction {name!r}{did_you_mean(name, self.names, 'there are')}")
        match self.found:
            case Directions():
                return self.found.vector(name, list(hold))
            case Components():
                if hold:
                    raise UserError("principal components know no attributes to hold; use attribute directions")
                return self.found.vector(self.names.index(name) + 1)


def save_directions(path: Path, directions: Directions, fits: Sequence[Fit], model: str) -> Path:
    """Write `path` (.safetensors) and the JSON that describes it. Returns the path.

    Args:
        path: the file to write; its suffix becomes .safetensors.
        directions: what to keep.
        fits: how well each attribute was told apart.
        model: fingerprint of the generator.
    """
    tensors = {name: getattr(directions, name).contiguous() for name in ("weights", "center", "scale", "spread")}
    about = {"kind": "directions", "attributes": directions.attributes, "fits": [asdict(fit) for fit in fits]}
    return _save(path, tensors, {**about, "space": directions.space, "model": model})


def save_components(path: Path, components: Components, model: str) -> Path:
    """Write `path` (.safetensors) and the JSON that describes it. Returns the path."""
    tensors = {name: getattr(components, name).contiguous() for name in ("mean", "basis", "variance")}
    return _save(path, tensors, {"kind": "components", "space": components.space, "model": model})


def load_steps(path: Path) -> Steps:
    """Read directions or components.

    Raises:
        UserError: when the file or its JSON is missing or damaged.
    """
    path = path.with_suffix(".safetensors")
    if not path.is_file():
        raise UserError(f"there is no {path}; give a file that stylegenes directions or stylegenes pca wrote")
    described = read_object(path.with_suffix(".json"))
    tensors = load_sealed(path, is_old=lambda about: not about).tensors
    try:
        about = as_record(_About, {key: described[key] for key in described if key in _KNOWN}, "its JSON")
        if about.kind == "components":
            found, first = Components(about.space, **tensors), tensors["basis"]
            names = [f"pc{number}" for number in range(1, len(first) + 1)]
        else:
            found, first = Directions(about.space, about.attributes, **tensors), tensors["weights"]
            names = about.attributes
        _check_sizes(tensors, first, len(names))
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"{path} is damaged, or no file of directions ({error})") from error
    return Steps(about.space, about.model, names, found)


@dataclass(frozen=True)
class _About:
    """What the JSON beside the tensors says, as far as moving needs it."""

    kind: Literal["directions", "components"]
    space: Literal["z", "w"]
    model: str
    attributes: list[str] = field(default_factory=list)


_KNOWN = frozenset(_About.__annotations__)


def _check_sizes(tensors: dict[str, torch.Tensor], first: torch.Tensor, rows: int) -> None:
    """See that tensors are finite and go together: `first` [rows, C], every other [C] or [rows].

    Raises:
        UserError: names one that does not.
    """
    by_row = ("spread", "variance")
    for name, tensor in tensors.items():
        columns = list(first.shape[1:])
        wanted = [rows] if name in by_row else [rows, *columns] if tensor is first else columns
        if first.dim() != 2 or list(tensor.shape) != wanted:
            raise UserError(f"its {name} has shape {list(tensor.shape)}, not {wanted}")
        if not tensor.is_floating_point() or not tensor.isfinite().all():
            raise UserError(f"its {name} holds what is no number")


def _save(path: Path, tensors: dict[str, torch.Tensor], about: dict[str, Any]) -> Path:
    path = path.with_suffix(".safetensors")
    save_sealed(path, tensors)
    write_json(path.with_suffix(".json"), _plain(about))
    return path


def _plain(value: Any) -> Any:
    """JSON has no NaN: an attribute that was not scored has null."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case float() if value != value:
            return None
        case _:
            return value


def paper_table(fits: Sequence[Fit]) -> list[dict[str, Any]]:
    """Fits of one penalty as in the paper's Table 1: a row an attribute, its scores by space, and their spreads."""
    spaces = sorted({fit.space for fit in fits}, reverse=True)
    found = {(fit.attribute, fit.space): fit for fit in fits}
    rows = []
    for attribute in dict.fromkeys(fit.attribute for fit in fits):
        row: dict[str, Any] = {"attribute": attribute}
        row |= {f"auc {space}": found[attribute, space].auc for space in spaces}
        row |= {f"balanced accuracy {space}": found[attribute, space].balanced_accuracy for space in spaces}
        row |= {f"auc spread {space}": found[attribute, space].auc_std for space in spaces}
        row |= {f"balanced accuracy spread {space}": found[attribute, space].balanced_accuracy_std for space in spaces}
        row |= {f"nonzero {space}": found[attribute, space].nonzero for space in spaces}
        rows.append({**row, "positives": found[attribute, spaces[0]].positives})
    return rows
