"""From a recipe to a complete configuration: what the data decides is filled in, what contradicts it is refused."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError, shown
from stylegenes.files import read_object, write_json
from stylegenes.latents import LATENTS
from stylegenes.registry import Registry, Spec
from stylegenes.snapshot import newest_snapshot
from stylegenes.synthesis import SYNTHESES
from stylegenes.training.config import ModelConfig, RunConfig
from stylegenes.training.feed import Data
from stylegenes.training.overrides import config_from_dict
from stylegenes.training.state import STATE_FILE
from stylegenes.words import command

CONFIG_FILE = "config.json"
log = logging.getLogger(__name__)

MAY_CHANGE = (
    "kimg",
    "metrics",
    "intervals",
    "tensorboard",
    "trackers",
    "batch.micro",
    "batch.graphs",
    "batch.deterministic",
    "data.source",
    "data.label_file",
)
"""Settings that a run may be continued with other values of; its course does not depend on them."""


def complete_config(config: RunConfig, data: Data, *, warn: bool = True) -> RunConfig:
    """Fill in what the data decides: resolution, color channels and labels of the networks.

    Args:
        config: from a recipe.
        data: what is learned.
        warn: whether to say that the data's labels are not used.

    Raises:
        UserError: when the networks cannot be built for the data, or labels are wanted and cannot be had.
    """
    label_dim = data.label_dim if config.data.labels else 0
    if config.data.labels and not data.label_dim:
        raise UserError(f"{data.source} has no labels; train without data.labels, or give labeled data")
    if warn and data.label_dim and not config.data.labels:
        log.warning(
            "the data has %d labels (%s ...) that this run does not use; --set data.labels=true conditions on them",
            data.label_dim, ", ".join(data.label_names[:3]),
        )  # fmt: skip
    check_cameras(config, data)
    # A latent that cannot read a label leaves it to a synthesis network that can.
    by_synthesis = "label_dim" in SYNTHESES.parameters(config.model.synthesis["name"])
    by_latent = "label_dim" in LATENTS.parameters(config.model.latent["name"]) or not by_synthesis
    shape = {"resolution": data.resolution, "image_channels": data.channels}
    conditional = {"label_dim": label_dim} if label_dim else {}
    rendering = _shared_rendering(config.model)
    model = ModelConfig(
        latent=_fill(LATENTS, config.model.latent, conditional if by_latent else {}),
        synthesis=_fill(SYNTHESES, config.model.synthesis, shape if by_latent else {**shape, **conditional}),
        discriminator=_fill(DISCRIMINATORS, config.model.discriminator, {**shape, **conditional, **rendering}),
    )
    return replace(config, model=model, data=replace(config.data, resolution=data.resolution))


def check_shape(config: RunConfig) -> None:
    """Refuse pictures that the networks cannot be built for, before anything is packed: that may take hours.

    Raises:
        UserError: for a size or channels that do not fit; names what does.
    """
    with torch.device("meta"):
        shape = {"resolution": config.data.resolution}
        shape |= {} if config.data.channels is None else {"image_channels": config.data.channels}
        SYNTHESES.build({**shape, **config.model.synthesis})
        DISCRIMINATORS.build({**shape, **config.model.discriminator})


def check_cameras(config: RunConfig, data: Data) -> None:
    """Refuse networks that are told cameras which nobody knows.

    Raises:
        UserError: names the network.
    """
    model = config.model
    three = SYNTHESES.get(model.synthesis["name"]).has_camera
    known = three and data.cameras(torch.arange(1)) is not None
    if model.discriminator.get("camera") and not known:
        what = f"{data.source} has no cameras" if three else f"synthesis {model.synthesis['name']!r} has no camera"
        raise UserError(
            f"model.discriminator.camera is set, and {what}; give data with cameras (see `stylegenes data cameras`), "
            "or set model.discriminator.camera=false to train with cameras drawn by chance"
        )
    if model.latent.get("camera") and not three:
        raise UserError(
            f"model.latent.camera is set, and synthesis {model.synthesis['name']!r} has no camera; eg3d has"
        )


def _check_strength(config: RunConfig) -> None:
    """Refuse a strength of the augmentation where nobody reads it; runs that were begun with one go on.

    Raises:
        UserError: names where it belongs.
    """
    pipe = config.augment.pipe or {}
    if "p" in pipe:
        raise UserError(
            f"augment.pipe.p={shown(pipe['p'])} would be overwritten by the schedule of the strength; leave it out and "
            f"set augment.p.name=fixed and augment.p.value={shown(pipe['p'])}, or another schedule"
        )


def _shared_rendering(model: ModelConfig) -> dict[str, Any]:
    """The synthesis network's rendering resolution for a discriminator that makes reals look rendered."""
    size = model.synthesis.get("rendering_resolution")
    reads = "rendering_resolution" in DISCRIMINATORS.parameters(model.discriminator["name"])
    return {"rendering_resolution": size} if size and reads else {}


def _fill(registry: Registry[Any], spec: Spec, values: Mapping[str, Any]) -> Spec:
    accepted = registry.parameters(spec["name"])
    for key, value in values.items():
        if key in spec and spec[key] != value:
            raise UserError(
                f"the {registry.kind} is to have {key}={shown(spec[key])}, and the data ask for {value}; leave it out, "
                "or set it at the data (data.resolution, data.channels, data.labels)"
            )
        if key not in accepted:
            raise UserError(
                f"{registry.kind} {spec['name']!r} takes no {key}, which the data and data.labels ask for ({value}); "
                "for class-conditional training use a mapping latent, --set model.latent.name=mapping, or a synthesis "
                "network that reads labels itself"
            )
    return registry.check({**spec, **values})


def check_settings(config: RunConfig, folder: Path) -> None:
    """See that a run is continued as it was begun. A start that never came to a state binds nobody.

    Raises:
        UserError: names the settings that differ; or for snapshots whose state is gone, which a start would replace.
    """
    path = folder / CONFIG_FILE
    if not holds_run(folder):
        _check_strength(config)
    if not (folder / STATE_FILE).exists() and (newest := newest_snapshot(folder / "snapshots")) is not None:
        start = command("train", config.data.source, "--init-from", newest, "--out", "runs/new")
        raise UserError(
            f"{folder} holds snapshots but no {STATE_FILE} to go on from, and a new run would replace them. Bring the "
            f"file back, or start another run from the newest snapshot: {start}"
        )
    if path.exists() and not holds_run(folder):
        raise UserError(f"{path} is there and is no run's; a run needs a folder of its own, so name another one")
    if not path.exists() or not (folder / STATE_FILE).exists():
        return
    # Read as a configuration: settings that are younger than the run have the values that it was made with.
    old, new = flattened(read_config(folder).to_dict()), flattened(config.to_dict())
    changed = [k for k in sorted(old.keys() | new.keys()) if old.get(k) != new.get(k) and not _may_change(k)]
    if changed:
        raise UserError(
            f"{folder} holds a run with other settings: "
            + ", ".join(f"{key} was {old.get(key)!r}, now {new.get(key)!r}" for key in changed[:5])
            + f". Continue it as it was with: {command('train', folder)}, or choose another folder"
        )


def write_config(config: RunConfig, folder: Path) -> None:
    """Write the configuration into the run folder; last, when everything that it describes has been built."""
    write_json(folder / CONFIG_FILE, config.to_dict())


def holds_run(folder: Path) -> bool:
    """Whether a folder is that of a run, be it one that was killed before its first step."""
    if not (folder / CONFIG_FILE).is_file():
        return False
    return (folder / STATE_FILE).exists() or "recipe" in read_object(folder / CONFIG_FILE)


def read_config(folder: Path) -> RunConfig:
    """The configuration of a run folder.

    Raises:
        UserError: when there is none, or it is damaged.
    """
    path = folder / CONFIG_FILE
    tree = read_object(path)
    try:
        return config_from_dict(tree)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _may_change(key: str) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in MAY_CHANGE)


def flattened(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, with dotted keys; lists are values."""
    if not isinstance(value, dict) or not value:
        return {prefix: list(value) if isinstance(value, tuple) else value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= flattened(inner, f"{prefix}.{key}" if prefix else key)
    return flat
