"""One way to hash a JSON-ready value."""

import hashlib
import json
from typing import Any


def hash_of(value: Any) -> str:
    """sha256 of a JSON-ready value, in hexadecimal; independent of the order of dictionary keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
