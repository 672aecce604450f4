"""Damaged label files of every kind: the outcome is labels, or one printable sentence; never a traceback."""

import json
import random

import numpy as np
import pytest
from makers import FakeStore

from stylegenes.data.labels import find_labels
from stylegenes.errors import UserError

ENTRIES = ["1.png", "2.png", "a/1.png", "a/3.jpg", "b/1.png"]
CORPUS = {
    "t.csv": [
        b"file,Happy,Age\n1.png,1,30\n2.png,0,41\na/1.png,1,12\n",
        b"file;Hair;True\r\n1.png;red;true\r\n2.png;black;no\r\n",
        'file\tÄ\n1.png\té\n3.jpg\t"x\ty"\n'.encode("utf-8-sig"),
        "file,A\n1.png,1\n".encode("utf-16"),
        b'file,A,B\r1.png,"1\r",2\r2.png,-1,1\r',
        b"file," + b",".join(b"c%d" % i for i in range(50)) + b"\n1.png," + b",".join([b"-1"] * 50) + b"\n",
    ],
    "list_attr_celeba.txt": [b"2\nSmiling Male \n1.png  1 -1\n2.png -1  1\n"],
    "dataset.json": [
        json.dumps({"labels": [[name, i] for i, name in enumerate(ENTRIES)]}).encode(),
        json.dumps({"labels": [[name, [0.5, i, -1e3]] for i, name in enumerate(ENTRIES)]}).encode(),
        json.dumps({"labels": None, "more": [[]]}).encode("utf-16"),
        b'{"labels": [["1.png", NaN], ["\\ud800", 1]]}',
    ],
}
PIECES = [
    *b'nan NaN null true inf 1e39 1e-400 -1 -0 0.5 red file 1.png a/1.png ../x.png - , ; : " [ ] { } "labels"'.split(),
    *(b"\0", b"\r", b"\n", b"\t", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J", b"\\ud800", "\u2028é".encode()),
    *(b"", b" " * 99, b"[" * 3000, b"1" * 30, b"9" * 5000, b"a" * 200_000),
]


def mutated(rng: random.Random, content: bytes) -> bytes:
    """A few insertions, cuts, repetitions, exchanges of bytes and of pieces."""
    for _ in range(rng.randint(1, 5)):
        start, stop = sorted(rng.randint(0, len(content)) for _ in range(2))
        stop = min(stop, start + 40)
        piece = rng.choice([rng.choice(PIECES), content[start:stop], bytes([rng.randrange(256)])])
        content = rng.choice(
            [
                content[:start] + piece + content[start:],
                content[:start] + piece + content[stop:],
                content[:start] + content[stop:],
                content[:stop] if rng.random() < 0.3 else content,
                content[:stop] + content[start:],
            ]
        )
    return content


def attempt(seed: int) -> str:
    """What came of one damaged file."""
    rng = random.Random(seed)
    name = rng.choice(list(CORPUS))
    content = mutated(rng, rng.choice(CORPUS[name]))
    files = {name: content}
    if rng.random() < 0.1:
        files["more.csv"] = mutated(rng, CORPUS["t.csv"][0])
    try:
        found = find_labels(FakeStore(files), ENTRIES, sorted(files))
    except UserError as error:
        said = str(error)
        assert said.isprintable() and len(said) < 700, (seed, said[:200])
        return "refused"
    told = [item.reason for item in found.left_out] + found.warnings + [found.origin]
    assert all(text.isprintable() and len(text) < 700 for text in told), (seed, told)
    matrix = found.matrix(list(found.rows))
    assert np.isfinite(matrix).all() and matrix.shape == (len(found.rows), len(found.names))
    left_out = {item.name for item in found.left_out}
    assert not found.names or set(found.rows) | left_out == set(ENTRIES)
    return "labels" if found.names else "none"


def fuzz(count: int, start: int = 0) -> None:
    outcomes = [attempt(seed) for seed in range(start, start + count)]
    # The mutations are neither so mild nor so wild that only one side is tried.
    assert min(outcomes.count("refused"), outcomes.count("labels")) > count / 10


def test_hundreds_of_damaged_label_files():
    fuzz(500)


@pytest.mark.slow
def test_thousands_of_damaged_label_files():
    fuzz(20_000, start=500)
