"""Code strings: URL-safe base64, and what is wrong with one that cannot be read."""

from __future__ import annotations

import base64
import binascii
import re

import numpy as np

from stylegenes.errors import UserError, shown

_SHOWN = 60


def encode(data: bytes) -> str:
    """Bytes as a code string."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(string: str, num_bytes: int) -> bytes:
    """The `num_bytes` bytes of a code string.

    Raises:
        UserError: for a foreign character (names it) or another length (says which is right).
    """
    string = string.strip()
    length = -(-num_bytes * 8 // 6)
    told = repr(string if len(string) <= _SHOWN else f"{string[:_SHOWN]}...")
    foreign = re.search(r"[^A-Za-z0-9_-]", string)
    if foreign:
        raise UserError(
            f"{told} is no code string: it holds {foreign.group()!r}; letters, digits, '-' and '_' make one"
        )
    if len(string) != length:
        plural = "s" if len(string) != 1 else ""
        raise UserError(f"{told} has {len(string)} character{plural}; a code string of this model has {length}")
    try:
        return base64.b64decode(string + "=" * (-len(string) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise UserError(f"{told} is no code string ({error})") from error


def decode_numbers(string: str, count: int, text: str) -> np.ndarray:
    """The `count` numbers, float32, little-endian, of a code string; errors show the whole `text` that it stands in.

    Raises:
        UserError: as `decode`, and for what is no finite number.
    """
    numbers = np.frombuffer(decode(string, 4 * count), "<f4").astype(np.float32)
    if not np.isfinite(numbers).all():
        raise UserError(f"{shown(text, 40)!r} holds what is no number")
    return numbers
