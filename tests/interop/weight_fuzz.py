"""Reads files of weights, as they are or changed at random, within bounds of time and memory, and says what happened.

    python weight_fuzz.py FOLDER COUNT SEED    COUNT 0 reads each file of FOLDER once, as it is

Prints JSON: how often each outcome was, and every outcome that is neither a network nor a sound message. The input at
hand lies in FOLDER/now/input, so that a crash leaves it behind.
"""

import collections
import json
import pickletools
import random
import resource
import signal
import sys
import time
import warnings
from pathlib import Path

from stylegenes.errors import UserError
from stylegenes.interop.official import import_weights
from stylegenes.interop.safe_pickle import CALLS

SECONDS, MEMORY = 5.0, 200 << 20
OPCODES = [opcode.code.encode("latin1") for opcode in pickletools.opcodes]
EXTREMES = [b"\x00" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff" * 4, b"\x00\x00\x00\x10"]


class Overtime(BaseException):
    """Not an Exception, so that no handler on the way takes it for a damaged file."""


def changed(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """One input: a few changes to a file, or a program made up of instructions."""
    if rng.random() < 0.25:
        return program(rng)
    parts = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        at = rng.randrange(len(parts) + 1)
        span = rng.choice((1, 2, 4, 16, 256))
        kind = rng.randrange(8)
        if kind == 0:
            parts[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            del parts[at : at + span]
        elif kind == 2:
            parts[at:at] = parts[at : at + span] * rng.choice((1, 2, 50))
        elif kind == 3:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            parts[at : at + span] = other[start : start + span]
        elif kind == 4:
            parts[at:at] = b"".join(rng.choices(OPCODES, k=rng.randrange(1, 5)))
        elif kind == 5:
            parts[at : at + 4] = rng.choice(EXTREMES)
        elif kind == 6 and rng.random() < 0.2:
            del parts[at:]
        elif kind == 7:
            word = rng.choice(WORDS).encode()
            parts[at:at] = b"\x8c" + bytes([len(word)]) + word
    return bytes(parts)


WORDS = [
    "G_ema",
    "G",
    "D",
    "state",
    "type",
    "class",
    "_modules",
    "_parameters",
    "_buffers",
    "_init_kwargs",
    "class_name",
]


def program(rng: random.Random) -> bytes:
    """A pickle of random instructions that mostly fit together, around the names that do something."""
    out = [b"\x80\x04"]

    def word(text: str) -> bytes:
        return b"\x8c" + bytes([len(text)]) + text.encode()

    def value(depth: int) -> list[bytes]:
        kind = rng.randrange(11 if depth else 5)
        if kind < 5:
            whole = b"J" + rng.choice([*EXTREMES, b"\x08\x00\x00\x00"])
            return [
                rng.choice([whole, word(rng.choice(WORDS)), b"N", b"\x88", b"C\x04abcd", b"]", b"}", b")", b"h\x00"])
            ]
        inner = [part for _ in range(rng.randrange(4)) for part in value(depth - 1)]
        if kind == 5:
            return [b"(", *inner, rng.choice([b"t", b"l", b"d", b"\x91"])]
        if kind == 6:
            pairs = [part for _ in range(rng.randrange(4)) for part in (word(rng.choice(WORDS)), *value(depth - 1))]
            return [b"}(", *pairs, b"u", b"\x94"]
        if kind == 7:
            return [*value(depth - 1), b"\x94", b"0", b"h", bytes([rng.randrange(4)])]
        name = rng.choice([*CALLS, "timm.models.Net", "torch.FloatStorage", "os.system"])
        module, _, last = name.rpartition(".")
        call = rng.choice([b"R", b"\x81", b"Rb"]) if kind < 10 else b"R"
        state = value(depth - 1) if call == b"Rb" else []
        return [word(module), word(last), b"\x93(", *inner, b"t", call[:1], *state, call[1:], b"\x94"]

    return b"".join([*out, b"}", word("G_ema"), *value(5), b"s", b"."])


def outcome(data: bytes, place: Path, judged: bool = False) -> str:
    """What reading it comes to (with its discriminator, if `judged`): a word, or a sentence where it should not be."""
    place.write_bytes(data)

    def late(*_: object) -> None:
        raise Overtime

    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        import_weights(place, discriminator=judged)
    except UserError as error:
        text = str(error)
        if not text.isprintable() or len(text) >= 500 or place.name not in text or "weights_only" in text:
            return f"a message that is not sound: {text[:300]!r}"
        return "refused"
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:200]!r}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "network"


def main(folder: Path, count: int, seed: int) -> None:
    warnings.simplefilter("error")
    files = sorted(path for path in folder.iterdir() if path.is_file())
    seeds = [path.read_bytes() for path in files]
    place = folder / "now" / "input"
    place.parent.mkdir(exist_ok=True)
    import scipy.signal  # noqa: F401  (a filter's design imports it late, which is none of the input's doing)

    unchanged = collections.Counter(outcome(data, place) for data in (seeds if count else seeds[:1]))
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY, in_use + MEMORY))
    outcomes: collections.Counter[str] = collections.Counter()
    slowest, faults = 0.0, []
    for i in range(count or len(seeds)):
        rng = random.Random(seed * 1_000_003 + i)
        data = changed(rng.choice(seeds), seeds, rng) if count else seeds[i]
        started = time.process_time()
        found = outcome(data, place, judged=i % 2 == 1)
        slowest = max(slowest, time.process_time() - started)
        outcomes[found if found in ("refused", "network") else "fault"] += 1
        if found not in ("refused", "network"):
            faults.append({"input": files[i].name if not count else i, "what": found})
    print(json.dumps({"outcomes": outcomes, "unchanged": unchanged, "slowest": slowest, "faults": faults[:20]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
