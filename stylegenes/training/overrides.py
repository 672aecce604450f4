"""Strict overrides: `model.latent.num_genes=64`, typed by the configuration and by the constructors' signatures."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError, shown
from stylegenes.latents import LATENTS
from stylegenes.registry import Registry, Spec
from stylegenes.shape import Reader, brief, check, describe
from stylegenes.synthesis import SYNTHESES
from stylegenes.training.augment import AUGMENTS
from stylegenes.training.config import RunConfig
from stylegenes.training.losses import LOSSES
from stylegenes.training.regularizers import REGULARIZERS
from stylegenes.training.schedules import SCHEDULES
from stylegenes.words import did_you_mean

SPECS: dict[str, Registry[Any]] = {
    "model.latent": LATENTS,
    "model.synthesis": SYNTHESES,
    "model.discriminator": DISCRIMINATORS,
    "loss": LOSSES,
    "augment.pipe": AUGMENTS,
    "augment.p": SCHEDULES,
    "optimizer.lr_scale": SCHEDULES,
    "optimizer.beta2": SCHEDULES,
    "growth": SCHEDULES,
    "blur": SCHEDULES,
    "penalty_scale": SCHEDULES,
    "rendering": SCHEDULES,
    "pose_swap": SCHEDULES,
}
"""Where the configuration holds a registry spec, and which registry knows its keys."""


FROM_DATA = {"data.resolution": "resolution", "data.channels": "image_channels"}
"""Settings of the data that both networks follow, and what the networks call them."""


def apply_overrides(config: RunConfig, overrides: Iterable[str]) -> RunConfig:
    """The configuration with `key=value` assignments, in order.

    Setting the `name` of a spec drops keys that the new class does not take. `regularizers.r1=none` removes one.

    Raises:
        UserError: for an unknown key (lists the accepted ones) or a value of the wrong type.
    """
    tree = config.to_dict()
    given: dict[str, tuple[str, str]] = {}
    for override in overrides:
        key, sign, text = override.partition("=")
        if not sign:
            raise UserError(f"an override reads KEY=VALUE, for example batch.total=16; got {override!r}")
        _assign(tree, _source_of(key.strip(), text.strip(), given), text.strip())
    for name in FROM_DATA:
        if name in given:
            _tell_networks(tree, name)
    return config_from_dict(tree)


def config_from_dict(tree: Mapping[str, Any]) -> RunConfig:
    """A configuration from plain dictionaries, every key and type checked.

    Raises:
        UserError: as `apply_overrides`.
    """
    config = _build(RunConfig, tree, "")
    for path, registry in SPECS.items():
        value: Any = config
        for part in path.split("."):
            value = getattr(value, part)
        if value is not None:
            _check_spec(registry, value, path)
    for name, kwargs in config.regularizers.items():
        _check_spec(REGULARIZERS, {"name": name, **kwargs}, f"regularizers.{name}")
    return config


def _source_of(key: str, text: str, given: dict[str, tuple[str, str]]) -> str:
    """The setting that decides over `key`: what the networks take from the data is set at the data.

    Raises:
        UserError: when it was given another value before under another name, or only the data can tell.
    """
    group, _, name = key.rpartition(".")
    if name == "label_dim" and group.startswith("model."):
        raise UserError(f"{key} follows from the data; --set data.labels=true conditions the networks on its labels")
    target = next((t for t, own in FROM_DATA.items() if group.startswith("model.") and name == own), key)
    if target in FROM_DATA:
        before = given.setdefault(target, (key, text))
        if before[0] != key and before[1] != text:
            raise UserError(f"{key}={text} contradicts {before[0]}={before[1]}; both networks are as the data are")
        given[target] = (key, text)
    return target


def _tell_networks(tree: dict[str, Any], name: str) -> None:
    """Take out of the networks' specs what is now decided by the data."""
    value = tree["data"][name.partition(".")[2]]
    for part in ("synthesis", "discriminator"):
        spec = tree["model"][part]
        if FROM_DATA[name] in spec and value is not None:
            spec[FROM_DATA[name]] = value
        elif value is None:
            spec.pop(FROM_DATA[name], None)


def _assign(tree: dict[str, Any], key: str, text: str) -> None:
    """Put one value into the nested dictionaries, typed by what stands there."""
    for path, registry in SPECS.items():
        if key.startswith(f"{path}."):
            _assign_spec(tree, path, registry, key[len(path) + 1 :], text)
            return
    if key == "augment.pipe":
        tree["augment"]["pipe"] = None if text.lower() == "none" else {"name": text}
        return
    if key.split(".")[0] == "regularizers":
        _assign_regularizer(tree["regularizers"], key, text)
        return
    parts, kind, node = key.split("."), RunConfig, tree
    for i, part in enumerate(parts):
        fields = typing.get_type_hints(kind, include_extras=True)
        if part not in fields:
            raise UserError(f"unknown setting {key!r}{did_you_mean(part, list(fields))}")
        if i == len(parts) - 1:
            if dataclasses.is_dataclass(fields[part]):
                inner = ", ".join(f"{key}.{name}" for name in typing.get_type_hints(fields[part]))
                raise UserError(f"{key} is a group of settings; set one of {inner}")
            node[part] = _parse(text, fields[part], key)
        elif not dataclasses.is_dataclass(fields[part]):
            raise UserError(f"{'.'.join(parts[: i + 1])} is one value; {key!r} does not exist")
        else:
            node, kind = node[part], fields[part]  # type: ignore[assignment]


def _assign_spec(tree: dict[str, Any], path: str, registry: Registry[Any], key: str, text: str) -> None:
    *parents, last = path.split(".")
    node = tree
    for part in parents:
        node = node[part]
    if key == "name":
        accepted = registry.parameters(text)
        node[last] = {"name": text, **{k: v for k, v in (node[last] or {}).items() if k in accepted}}
        return
    if node[last] is None:
        raise UserError(f"{path} is off; switch it on first, for example --set {path}.name={registry.names()[0]}")
    node[last][key] = _parse_argument(registry, node[last]["name"], key, text, path)


def _assign_regularizer(tree: dict[str, dict[str, Any]], key: str, text: str) -> None:
    parts = key.split(".")
    if len(parts) == 2 and text.lower() in ("none", "default"):
        REGULARIZERS.get(parts[1])
        tree.pop(parts[1], None)
        if text.lower() == "default":
            tree[parts[1]] = {}
        return
    if len(parts) != 3:
        raise UserError(
            f"{key!r}: set regularizers.NAME.ARGUMENT=VALUE, regularizers.NAME=default or =none; "
            f"names: {', '.join(REGULARIZERS.names())}"
        )
    name, argument = parts[1:]
    value = _parse_argument(REGULARIZERS, name, argument, text, f"regularizers.{name}")
    tree.setdefault(name, {})[argument] = value


def _parse_argument(registry: Registry[Any], name: str, key: str, text: str, path: str) -> Any:
    accepted = registry.parameters(name)
    if key not in accepted:
        raise UserError(f"unknown setting '{path}.{key}'{did_you_mean(key, list(accepted))}")
    hints = typing.get_type_hints(registry.get(name).__init__, include_extras=True)
    return _parse(text, hints.get(key, Any), f"{path}.{key}")


def _check_spec(registry: Registry[Any], spec: Spec, path: str) -> None:
    try:
        registry.check(spec)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _build(kind: Any, tree: Any, path: str) -> Any:
    if not isinstance(tree, Mapping):
        raise UserError(f"{path.rstrip('.') or 'a configuration'} is a group of settings; got {brief(tree)}")
    hints = typing.get_type_hints(kind, include_extras=True)
    for key in tree:
        if key not in hints:
            raise UserError(f"unknown setting {shown(path + str(key))!r}{did_you_mean(str(key)[:100], list(hints))}")
    needed = [f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING]
    missing = [path + key for key in needed if key not in tree]
    if missing:
        raise UserError(f"the configuration lacks {', '.join(missing)}")
    values = {}
    for key, value in tree.items():
        inner = hints[key]
        values[key] = (
            _build(inner, value, f"{path}{key}.")
            if dataclasses.is_dataclass(inner)
            else check(value, inner, path + key)
        )
    return kind(**values)


def _parse(text: str, hint: Any, key: str) -> Any:
    """Read a value of the hinted type from text."""
    choices = [_check_none(text), text]
    with contextlib.suppress(ValueError, RecursionError):
        choices.insert(1, json.loads(text.lower() if text.lower() in ("true", "false") else text))
    refusal: UserError | None = None
    for choice in choices:
        if choice is _ABSENT:
            continue
        try:
            return check(choice, hint, key)
        except UserError as error:
            refusal = error
    if refusal is not None and any(isinstance(mark, Reader) for mark in typing.get_args(hint)[1:]):
        raise refusal
    raise UserError(f"{key}={text} is not {describe(hint)}")


_ABSENT = object()


def _check_none(text: str) -> Any:
    return None if text.lower() == "none" else _ABSENT
