"""Atomic writes: a kill or an error at any moment leaves the old content or the new one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from stylegenes import UserError
from stylegenes.files import (
    append_json_line,
    atomic_folder,
    atomic_path,
    check_writable,
    read_json,
    read_json_lines,
    read_record,
    settle_folder,
    write_json,
)
from stylegenes.partials import sweep


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
from stylegenes.files import atomic_folder, atomic_path, check_writable, read_json, settle_folder, write_json
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


WAITER = """
import sys, time
from stylegenes.files import atomic_folder
with atomic_folder(sys.argv[1] + "/last") as part:
    (part / "x").write_text("half")
    print(part.name, flush=True)
    time.sleep(60)
"""


def test_a_partial_folder_lives_as_long_as_its_writer(tmp_path):
    """However old it is; and once the writer is killed it goes, whatever is written there next."""
    process = subprocess.Popen([sys.executable, "-c", WAITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    part = tmp_path / process.stdout.readline().strip()
    for path in (part / "x", part):
        os.utime(path, (0, 0))
    write_json(tmp_path / "other.json", 1)
    assert (part / "x").exists()
    process.kill()
    process.wait()
    write_json(tmp_path / "other.json", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["other.json"]


def test_partial_files_of_writers_elsewhere_go_by_age_and_other_files_stay(tmp_path):
    here = socket.gethostname()
    elsewhere = ".last.00000000-12-12345678.part"
    others = [
        f".{'a' * 32}.part",
        ".part",
        ".x.part.png",
        "a.12345678.part",
        ".dump.20240101.part.gz",
        ".w.deadbeef.part",
    ]
    for name in (elsewhere, *others):
        (tmp_path / name).mkdir()
    (tmp_path / elsewhere / "model").write_text("")
    for name in (elsewhere, *others):
        os.utime(tmp_path / name, (0, 0))
    sweep(tmp_path)
    assert here and sorted(p.name for p in tmp_path.iterdir()) == sorted((elsewhere, *others))
    os.utime(tmp_path / elsewhere / "model", (0, 0))
    os.utime(tmp_path / elsewhere, (0, 0))
    sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(others)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_link_to_a_folder_stays_one_and_what_it_leads_to_is_replaced(times, tmp_path):
    (tmp_path / "disk" / "mine").mkdir(parents=True)
    (tmp_path / "linked").symlink_to(tmp_path / "disk" / "mine")
    for number in range(times):
        with atomic_folder(tmp_path / "linked") as part:
            (part / "number").write_text(str(number))
        assert settle_folder(tmp_path / "linked") == tmp_path / "linked"
    assert (tmp_path / "linked").is_symlink()
    assert (tmp_path / "disk" / "mine" / "number").read_text() == str(times - 1)
    assert [len(list(place.iterdir())) for place in (tmp_path, tmp_path / "disk")] == [2, 1]


def test_where_a_file_system_is_mounted_no_folder_is_replaced():
    with pytest.raises(UserError, match="mounted"), atomic_folder("/proc"):
        pass


def test_a_host_whose_clock_is_ahead_sweeps_nothing_that_another_writes(tmp_path, monkeypatch):
    """Files on a shared disk are dated by the disk's clock, and this machine's may be days off."""
    (tmp_path / ".last.00000000-12-12345678.part").write_text("being written")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 30 * 24 * 3600)
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".last.00000000-12-12345678.part"]


def test_what_this_process_is_writing_is_not_swept_under_another_spelling(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomic_path(tmp_path / "a.txt") as part:
        part.write_text("x")
        write_json("b.json", 1)
    assert (tmp_path / "a.txt").read_text() == "x"


def test_json_reads_back_and_damage_is_named(tmp_path):
    write_json(tmp_path / "a.json", {"ü": [1, 2.5, None]})
    assert read_json(tmp_path / "a.json") == {"ü": [1, 2.5, None]}
    (tmp_path / "a.json").write_text('{"cut')
    with pytest.raises(UserError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")
    with pytest.raises(UserError, match=r"no file .*b\.json"):
        read_json(tmp_path / "b.json")


@dataclass(frozen=True)
class Inner:
    size: int = 1


@dataclass(frozen=True)
class Record:
    name: str
    values: list[float]
    inner: Inner | None = None
    kind: Literal["a", "b"] = "a"
    table: dict[str, int] = field(default_factory=dict)


def test_a_record_reads_back(tmp_path):
    record = Record("x", [1.5, 2.0], Inner(3), "b", {"k": 4})
    write_json(tmp_path / "a.json", asdict(record))
    assert read_record(tmp_path / "a.json", Record) == record


WRONG_SHAPES = [
    "null", "3", '"text"', "[]", "[[]]", "{}", '{"name": null, "values": []}', '{"name": "x"}',
    '{"name": "x", "values": null}', '{"name": "x", "values": [1, "2"]}', '{"name": "x", "values": [NaN]}',
    '{"name": "x", "values": [1e999]}', '{"name": "x", "values": [true]}', '{"name": "x", "values": {}}',
    '{"name": "x", "values": [], "inner": 3}', '{"name": "x", "values": [], "inner": {"size": 1.5}}',
    '{"name": "x", "values": [], "inner": {"size": 1e30}}', '{"name": "x", "values": [], "kind": "c"}',
    '{"name": "x", "values": [], "inner": {"size": 100000000000000000000}}',
    '{"name": "x", "values": [], "kind": ["a"]}', '{"name": "x", "values": [], "table": {"k": null}}',
    '{"name": "x", "values": [], "nmae": 1}', '{"name": "x", "values": [' + "1" * 5000 + "]}",
    "[" * 100_000, '{"a":' * 100_000, "", "{", '{"name": "\\ud800', "\x00",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG_SHAPES, ids=range(len(WRONG_SHAPES)))
def test_a_record_of_another_shape_is_refused_by_name(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=r"a\.json") as caught:
        read_record(tmp_path / "a.json", Record)
    assert len(str(caught.value)) < 600 + len(str(tmp_path)) and str(caught.value).isprintable()


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(tmp_path / "socket"))
        (tmp_path / "folder").mkdir()
        (tmp_path / "zero").symlink_to("/dev/zero")
        (tmp_path / "bytes").write_bytes(b'{"a": "\xff"}')
        with (tmp_path / "huge").open("wb") as file:
            file.truncate(10 * 2**30)
        for name, words in (
            ("pipe", "a named pipe, not a file"), ("socket", "not readable"), ("folder", "a folder, not a file"),
            ("zero", "a device, not a file"), ("huge", "at most 67,108,864"), ("bytes", "not JSON"),
        ):  # fmt: skip
            with pytest.raises(UserError, match=words):
                read_json(tmp_path / name)


def test_a_line_cut_by_a_power_cut_costs_itself_alone(tmp_path, caplog):
    path = tmp_path / "a.jsonl"
    for number in range(3):
        append_json_line(path, {"n": number})
    whole = path.read_bytes()
    for cut in range(len(whole) - 9, len(whole) + 1):
        path.write_bytes(whole[:cut])
        caplog.clear()
        kept = [{"n": 0}, {"n": 1}] + [{"n": 2}] * (cut >= len(whole) - 1)
        assert read_json_lines(path) == kept
        assert ("line 3" in caplog.text) == (len(whole) - 9 < cut < len(whole) - 1)
        append_json_line(path, {"n": "ü"})
        assert [json.loads(line) for line in path.read_text().splitlines()] == [*kept, {"n": "ü"}]
    path.write_bytes(whole[:12] + b"\x00" * 4000)
    assert read_json_lines(path)[:1] == [{"n": 0}]
    append_json_line(path, 3)
    assert read_json_lines(path) == [{"n": 0}, 3]


@pytest.mark.parametrize("place", ["missing/there/x.png", "x.png", "."])
def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path, place):
    check_writable(tmp_path / place)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["/proc/x.png", "/proc/there/x", "FILE/x.png"])
def test_a_place_that_cannot_be_written_is_named_as_it_was_given(tmp_path, place):
    (tmp_path / "file").touch()
    path = Path(place.replace("FILE", str(tmp_path / "file")))

    def folder():
        with atomic_folder(path):
            pass

    for write in (lambda: check_writable(path), lambda: write_json(path, 1), folder):
        with pytest.raises(OSError, match="cannot be written") as refused:
            write()
        assert refused.value.filename == str(path)
        assert ".part" not in str(refused.value)


def test_the_current_folder_is_settled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert settle_folder(".").resolve() == tmp_path


@pytest.mark.parametrize("path", ["", ".", "/"])
@pytest.mark.parametrize("write", [atomic_path, atomic_folder])
def test_a_path_without_a_name_is_refused_in_words(path, write):
    with pytest.raises(UserError, match="the name of no file"), write(path):
        pass
