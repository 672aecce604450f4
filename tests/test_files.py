"""Atomic writes: a kill or an error at any moment leaves the old content or the new one."""

import os
import signal
import subprocess
import sys
import time

import pytest

from stylegenes import UserError
from stylegenes.files import atomic_folder, atomic_path, read_json, settle_folder, write_json


def test_a_failed_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as part:
        part.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_folder_leaves_the_old_folder(tmp_path):
    target = tmp_path / "a"
    with atomic_folder(target) as part:
        (part / "x").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(target) as part:
        (part / "x").write_text("half")
        raise RuntimeError
    assert (target / "x").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_folder_replaces_the_old_one_as_a_whole(tmp_path):
    for name in ("x", "y"):
        with atomic_folder(tmp_path / "a") as part:
            (part / name).write_text(name)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["y"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("old_is_there", [True, False])
def test_a_swap_cut_between_its_renames_is_finished_by_the_reader(tmp_path, old_is_there):
    (tmp_path / ".a.next").mkdir()
    (tmp_path / ".a.next" / "x").write_text("new")
    (tmp_path / ("a" if old_is_there else ".a.previous")).mkdir()
    assert (settle_folder(tmp_path / "a") / "x").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


WRITER = """
import sys
from stylegenes.files import atomic_folder, atomic_path
number = 0
while True:
    number += 1
    with atomic_folder(sys.argv[1] + "/folder") as part:
        for name in "abcd":
            (part / name).write_text(str(number) * 2000)
    with atomic_path(sys.argv[1] + "/file") as part:
        part.write_text(str(number) * 2000)
    if number == 3:
        print("ready", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("delay", [0.0, 0.003, 0.011, 0.024])
def test_a_killed_writer_leaves_whole_files(tmp_path, delay):
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    folder = settle_folder(tmp_path / "folder")
    contents = {(folder / name).read_text() for name in "abcd"}
    assert len(contents) == 1, "the files of one folder are of one write"
    for content in [*contents, (tmp_path / "file").read_text()]:
        assert content == content[: len(content) // 2000] * 2000


def test_orphans_of_dead_writers_are_swept_but_not_those_of_living_ones(tmp_path):
    old, young = tmp_path / ".a.1111.part.txt", tmp_path / ".a.2222.part.txt"
    old.write_text("")
    young.write_text("")
    os.utime(old, (0, 0))
    with atomic_path(tmp_path / "a.txt") as part:
        part.write_text("x")
    assert not old.exists()
    assert young.exists()


def test_json_reads_back_and_damage_is_named(tmp_path):
    write_json(tmp_path / "a.json", {"ü": [1, 2.5, None]})
    assert read_json(tmp_path / "a.json") == {"ü": [1, 2.5, None]}
    (tmp_path / "a.json").write_text('{"cut')
    with pytest.raises(UserError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")
    with pytest.raises(UserError, match=r"no file .*b\.json"):
        read_json(tmp_path / "b.json")
