"""stylegenes: style-based GANs whose latent space is a genome.

`stylegenes.open(name)` gives a model to work with, `stylegenes.load(path)` the bare generator. Importing the package is
cheap: torch comes with the first use.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

from stylegenes.errors import UserError
from stylegenes.version import __version__

if TYPE_CHECKING:
    from stylegenes.arguments import Label
    from stylegenes.devices import Device
    from stylegenes.generator import Generator
    from stylegenes.loaded import AnyClassifier
    from stylegenes.model import Model

__all__ = ["Model", "UserError", "__version__", "load", "open"]


def load(path: str | PathLike[str], device: Device = "cpu") -> Generator:
    """The generator of a snapshot, in eval mode on `device`.

    Args:
        path: a snapshot folder, a run folder (its newest snapshot), the name of a model shipped with the package, or
            `hf://owner/name@revision`, a model on the hub.
        device: where it goes, as torch names it; `auto` takes the fastest there is.

    Raises:
        UserError: when there is no such snapshot or device, or it is damaged.
    """
    from stylegenes.devices import pick_device
    from stylegenes.snapshot import load_snapshot

    return load_snapshot(path, pick_device(device)).generator


def open(
    name: str | PathLike[str],
    *,
    label: Label | None = None,
    classifier: AnyClassifier | None = None,
    device: Device = "auto",
) -> Model:
    """A model to work with: sample, edit, breed, survey, invert, evaluate; loaded once.

    Args:
        name: a snapshot folder, a run folder (its newest snapshot), the name of a model shipped with the package, or
            `hf://owner/name@revision`, a model on the hub.
        label: what a conditional model draws: a column's number, names like `Smiling,Male=0.5`, or L numbers.
        classifier: of attributes: a shipped one's name, a path, or any torch module; otherwise the survey's.
        device: where it goes, as torch names it; `auto` takes the fastest there is.

    Raises:
        UserError: for a bad snapshot, label or device.
    """
    from stylegenes.model import open_model

    return open_model(name, label=label, classifier=classifier, device=device)


def __getattr__(name: str) -> Any:
    if name == "Model":
        from stylegenes.model import Model

        return Model
    raise AttributeError(f"module 'stylegenes' has no attribute {name!r}")
