"""Weights under foreign names into our modules: strict, with every name that does not fit in the message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.words import did_you_mean

State = Mapping[str, torch.Tensor]


def take(given: Mapping[str, Any], defaults: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """`defaults` overridden by `given`.

    Raises:
        UserError: for a key that `defaults` lacks; lists the accepted ones.
    """
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise UserError(f"{owner}: cannot take {', '.join(unknown)}{did_you_mean(unknown[0], defaults)}")
    return {**defaults, **given}


def require(given: Mapping[str, Any], *names: str, owner: str) -> None:
    """Refuse arguments that lack one of `names`.

    Raises:
        UserError: lists the missing names.
    """
    missing = [name for name in names if name not in given]
    if missing:
        raise UserError(f"{owner}: arguments lack {', '.join(missing)}")


def load_named(module: nn.Module, state: State, names: Mapping[str, str], *, owner: str) -> None:
    """Load `state` into `module`, in place; the module takes on the dtype of the state's first float tensor.

    Args:
        module: where the weights go.
        state: tensors by foreign name.
        names: for every key of the module's state dict, the foreign name.
        owner: what messages call the source.

    Raises:
        UserError: lists missing and unexpected names, and shapes that differ.
    """
    missing, extra = sorted(set(names.values()) - set(state)), sorted(set(state) - set(names.values()))
    if missing or extra:
        raise UserError(f"{owner}: the weights do not fit; missing: {_listed(missing)}; unexpected: {_listed(extra)}")
    own = module.state_dict()
    wrong = [
        f"{foreign} is {list(state[foreign].shape)}, not {list(own[ours].shape)}"
        for ours, foreign in names.items()
        if state[foreign].shape != own[ours].shape
    ]
    if wrong:
        raise UserError(f"{owner}: shapes differ: {'; '.join(wrong)}")
    module.to(next((tensor.dtype for tensor in state.values() if tensor.is_floating_point()), torch.float32))
    module.load_state_dict({ours: state[foreign] for ours, foreign in names.items()})


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"
