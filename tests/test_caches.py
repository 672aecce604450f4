"""One base folder for caches, and one policy: what is damaged is made again, what cannot be written is said."""

import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from stylegenes.caches import cache_folder, cache_root, mapped_rows, usable_cache, written_cache
from stylegenes.errors import UserError
from stylegenes.perception.weights import weights_folder


def test_every_kind_lies_in_one_base_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("STYLEGENES_WEIGHTS", raising=False)
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "c"))
    assert weights_folder() == cache_folder("weights") == tmp_path / "c" / "weights"
    assert usable_cache("statistics") == tmp_path / "c" / "statistics" and (tmp_path / "c" / "statistics").is_dir()
    assert cache_folder("index", tmp_path) == tmp_path / "index"
    monkeypatch.setenv("STYLEGENES_WEIGHTS", str(tmp_path / "w"))
    assert weights_folder() == tmp_path / "w"


@pytest.mark.skipif(sys.platform != "linux", reason="the folder of Linux")
def test_without_a_word_it_is_the_platforms_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("STYLEGENES_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_root() == tmp_path / ".cache" / "stylegenes"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_root() == tmp_path / "x" / "stylegenes" and cache_root("~/y") == Path.home() / "y"


def test_where_nothing_can_be_written_memory_has_to_do(monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("STYLEGENES_CACHE", str(tmp_path / "file" / "c"))
    with caplog.at_level(logging.WARNING):
        assert usable_cache("statistics") is None
    assert "STYLEGENES_CACHE" in caplog.text and "nothing is kept" in caplog.text
    with pytest.raises(UserError, match="make room, or name another with STYLEGENES_CACHE"), written_cache(tmp_path):
        raise OSError(28, "No space left on device")


WHOLE = np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not an array"),
        lambda path: path.write_bytes(path.read_bytes()[:-8]),
        lambda path: np.save(path, WHOLE[:3]),
        lambda path: np.save(path, WHOLE.astype(np.float64)),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["empty", "other bytes", "cut short", "fewer rows", "another type", "a folder"],
)
def test_rows_that_are_not_whole_are_made_again(tmp_path, caplog, damage):
    path = tmp_path / "rows.npy"
    assert mapped_rows(path, (4, 3), np.float32) is None
    np.save(path, WHOLE)
    assert np.array_equal(mapped_rows(path, (4, 3), np.float32), WHOLE)
    assert not caplog.text
    damage(path)
    assert mapped_rows(path, (4, 3), np.float32) is None and "made again" in caplog.text
