"""Weights under foreign names into our modules: strict, with every name that does not fit in the message."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import nn

from stylegenes.errors import UserError, shown
from stylegenes.words import did_you_mean

State = Mapping[str, torch.Tensor]
M = TypeVar("M", bound=nn.Module)


def take(given: Mapping[str, Any], defaults: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """`defaults` overridden by `given`.

    Raises:
        UserError: for a key that `defaults` lacks; lists the accepted ones.
    """
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise UserError(f"{owner}: cannot take {listed(unknown)}{did_you_mean(unknown[0], defaults)}")
    return {**defaults, **given}


def require(given: Mapping[str, Any], *names: str, owner: str) -> None:
    """Refuse arguments that lack one of `names`.

    Raises:
        UserError: lists the missing names.
    """
    missing = [name for name in names if name not in given]
    if missing:
        raise UserError(f"{owner}: arguments lack {', '.join(missing)}")


def load_named(build: Callable[[], M], state: State, names_of: Callable[[M], Mapping[str, str]], *, owner: str) -> M:
    """A network with the weights `state`; it takes on the dtype of the state's first float tensor.

    It is first built without memory, so that what it would take is known to be what the state fills.

    Args:
        build: makes the network.
        state: tensors by foreign name.
        names_of: for every key of the network's state dict, the foreign name.
        owner: what messages call the source.

    Raises:
        UserError: lists missing and unexpected names, shapes that differ, and weights that are no numbers.
    """
    with torch.device("meta"):
        sketch = build()
    names, own = names_of(sketch), sketch.state_dict()
    missing, extra = sorted(set(names.values()) - set(state)), sorted(set(state) - set(names.values()))
    if missing or extra:
        raise UserError(f"{owner}: the weights do not fit; missing: {listed(missing)}; unexpected: {listed(extra)}")
    wrong = [
        f"{foreign} is {list(state[foreign].shape)}, not {list(own[ours].shape)}"
        for ours, foreign in names.items()
        if state[foreign].shape != own[ours].shape
    ]
    if wrong:
        raise UserError(f"{owner}: shapes differ: {listed(wrong, '; ')}")
    broken = [name for name, tensor in state.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if broken:
        raise UserError(f"{owner}: weights that are no numbers (NaN or infinite): {listed(broken)}")
    module = build()
    module.to(next((tensor.dtype for tensor in state.values() if tensor.is_floating_point()), torch.float32))
    module.load_state_dict({ours: state[foreign] for ours, foreign in names.items()})
    return module


def listed(names: Sequence[str], between: str = ", ", most: int = 4) -> str:
    """The first few of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(shown(name, 60) for name in names[:most]) + more if names else "none"


def same_filter(found: torch.Tensor, expected: torch.Tensor) -> bool:
    """Whether a stored filter is the expected one, to float32's rounding."""
    return found.shape == expected.shape and torch.allclose(found.cpu().float(), expected.float(), atol=1e-6)
