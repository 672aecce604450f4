"""What resumes a run: one file, written all or nothing, with a checksum. No pickle is ever written.

`state.safetensors` holds the tensors (networks, running average, both optimizers, statistics of the penalties) and, as
JSON in its header, the counters. Every random choice is a function of the seed and the counters, so there is no random
state to store.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from stylegenes.errors import UserError, shown
from stylegenes.files import parse_json
from stylegenes.sealed import checksum, load_sealed, save_sealed
from stylegenes.shape import as_record
from stylegenes.snapshot import load_strictly
from stylegenes.training.players import Players

STATE_FILE = "state.safetensors"
FORMAT, OLD_FORMAT = "stylegenes-train-state-2", "stylegenes-train-state-1"
"""The old format had the counters and the hash of the data outside the checksum; it is still read."""


@dataclass
class Counters:
    """How far a run is.

    Attributes:
        step: steps done.
        images: real images shown to the discriminator.
        epoch: changes every random choice; raised by a roll-back.
        rollbacks: roll-backs in a row.
        failed_at: images at the last failure.
        lr_scale: learning rates are multiplied by this; lowered by a roll-back.
        augment_p: present augmentation strength.
        sign_sum: sum of the mean sign of D(real) since augmentation was last adjusted.
        sign_count: steps in that sum.
        real_sign: r_t as of the last adjustment.
        seconds: time spent training, over all sittings.
        best: the best value of the metric that snapshots are ranked by, or None.
        best_of: which metric that is.
        due: what was due after this step and is still to be made, because the sitting ended in the middle of it.
    """

    step: int = 0
    images: int = 0
    epoch: int = 0
    rollbacks: int = 0
    failed_at: int = 0
    lr_scale: float = 1.0
    augment_p: float = 0.0
    sign_sum: float = 0.0
    sign_count: int = 0
    real_sign: float = 0.0
    seconds: float = 0.0
    best: float | None = None
    best_of: str = ""
    due: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class StoredState:
    """A state as read from disk."""

    counters: Counters
    tensors: dict[str, torch.Tensor]
    data_hash: str
    extra: dict[str, Any] = field(default_factory=dict)


def collect(players: Players) -> dict[str, torch.Tensor]:
    """Every tensor of a run by name, on its device, not copied."""
    tensors = {}
    for prefix, module in players.modules().items():
        tensors |= {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}
    for player, optimizer in players.optimizers.items():
        for name, parameter in players.named_parameters(player):
            state = optimizer.state.get(parameter, {})
            tensors |= {f"adam_{player}.{key}.{name}": value for key, value in state.items()}
    return tensors


def write_state(path: Path, players: Players, counters: Counters, data_hash: str) -> None:
    """Write the state, all or nothing.

    Args:
        path: of the file.
        players: networks and optimizers.
        counters: how far the run is.
        data_hash: content hash of the data that it is trained on.

    Raises:
        UserError: when it cannot be written (full disk, read-only folder); an older state stays whole.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous(memory_format=torch.contiguous_format).clone()
        for name, tensor in collect(players).items()
    }
    about = {"format": FORMAT, "counters": json.dumps(dataclasses.asdict(counters)), "data_hash": data_hash}
    try:
        save_sealed(path, tensors, about)
    except (OSError, SafetensorError) as error:
        kept = "the last state there is whole" if path.exists() else "nothing was written"
        raise UserError(
            f"cannot write the training state to {path}: {error}; {kept}. "
            "Free some space or make the folder writable, then run the same command to continue"
        ) from error


def read_state(path: Path) -> StoredState:
    """Read a state and verify its checksum.

    Raises:
        UserError: when the file is damaged or of another format.
    """
    found = load_sealed(path, is_old=lambda about: about.get("format") == OLD_FORMAT)
    about = found.about
    if about.get("format") not in (FORMAT, OLD_FORMAT):
        raise UserError(f"{path} is of format {shown(about.get('format'))}; this version reads {FORMAT}")
    if not found.sealed and about.get("sha256") != checksum(found.tensors):
        raise UserError(f"{path} is damaged: its checksum does not match")
    counters = as_record(Counters, parse_json(about.get("counters", ""), str(path)), str(path))
    return StoredState(counters, found.tensors, about.get("data_hash", ""))


def restore(players: Players, stored: StoredState, where: str) -> None:
    """Copy a stored state into the players, every key as it must be.

    Raises:
        UserError: names missing and extra keys; `where` says which file they are about.
    """
    rest = dict(stored.tensors)
    for prefix, module in players.modules().items():
        own = {key[len(prefix) + 1 :]: rest.pop(key) for key in list(rest) if key.startswith(f"{prefix}.")}
        load_strictly(module, own, f"{prefix} in {where}")
    for player, optimizer in players.optimizers.items():
        _restore_adam(players, player, optimizer, rest)
    if rest:
        raise UserError(f"{where} holds what this run has no place for: {', '.join(sorted(rest)[:5])}")


def _restore_adam(players: Players, player: Any, optimizer: torch.optim.Adam, rest: dict[str, torch.Tensor]) -> None:
    """Take the state of one optimizer out of `rest`; a parameter that was never stepped has none."""
    for name, parameter in players.named_parameters(player):
        keys = {key: f"adam_{player}.{key}.{name}" for key in ("step", "exp_avg", "exp_avg_sq")}
        optimizer.state.pop(parameter, None)
        if keys["step"] not in rest:
            continue
        found = {key: rest.pop(full) for key, full in keys.items()}
        # Adam counts its steps on the CPU unless it is fused; averages have the parameter's own memory layout.
        averages = {key: torch.empty_like(parameter).copy_(found[key]) for key in ("exp_avg", "exp_avg_sq")}
        step = found["step"].to(parameter.device) if optimizer.param_groups[0]["fused"] else found["step"]
        optimizer.state[parameter] = {"step": step, **averages}
