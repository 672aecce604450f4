"""Code strings: URL-safe base64, and what is wrong with one that cannot be read."""

from __future__ import annotations

import base64
import binascii
import re

from stylegenes.errors import UserError

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
    shown = repr(string if len(string) <= _SHOWN else f"{string[:_SHOWN]}...")
    foreign = re.search(r"[^A-Za-z0-9_-]", string)
    if foreign:
        raise UserError(
            f"{shown} is no code string: it holds {foreign.group()!r}; letters, digits, '-' and '_' make one"
        )
    if len(string) != length:
        plural = "s" if len(string) != 1 else ""
        raise UserError(f"{shown} has {len(string)} character{plural}; a code string of this model has {length}")
    try:
        return base64.b64decode(string + "=" * (-len(string) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise UserError(f"{shown} is no code string ({error})") from error
