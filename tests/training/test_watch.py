"""The watch over processes, and how they find each other: who is gone and what stands in the way is said by name."""

import socket
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from tiny_run import TinyData, tiny_config
from torch.distributed import TCPStore  # type: ignore[reportPrivateImportUsage]

from stylegenes.errors import UserError
from stylegenes.training import terms
from stylegenes.training.company import _meet
from stylegenes.training.machine import Machine, as_launched
from stylegenes.training.meeting import Seat, choose_interface, interfaces, open_meeting, open_store, resolve
from stylegenes.training.watch import Watch, Wire, accept, connect, listen


@pytest.fixture
def three():
    """The watches of ranks 0, 1 and 2, joined as in a run, with what ends each."""
    ended: list[str] = []
    with listen() as server:
        port = server.getsockname()[1]
        hellos = [{"token": "secret", "rank": rank, "host": f"host{rank}"} for rank in (1, 2)]
        ends = [connect("127.0.0.1", port, hello, 5) for hello in hellos]
        links = accept(server, 2, "secret", 5)
    watches = [Watch(links, 5, ended.append)]
    watches += [Watch([Wire.to(0, "host0", end)], 5, ended.append) for end in ends]
    yield watches, ends
    for watch in watches:
        watch.close()
    assert not ended


def test_a_process_that_dies_is_known_to_all_by_name(three):
    watches, ends = three
    ends[0].shutdown(socket.SHUT_RDWR)
    for watch in (watches[0], watches[2]):
        lost = watch.wait(5)
        assert (lost.rank, lost.host, lost.how) == (1, "host1", "died")
        assert "rank 1 on host1 died at step 4: killed" in lost.sentence(" at step 4")


def test_a_rank_that_gives_up_says_why(three):
    watches, _ = three
    watches[2].close("the disk is full")
    assert all("rank 2 on host2 gave up: the disk is full" in watch.wait(5).sentence() for watch in watches[:2])


def test_who_leaves_when_the_work_is_done_is_not_lost(three):
    watches, _ = three
    watches[1].close()
    assert watches[0].wait(0.5) is None and watches[2].wait(0.1) is None


def test_a_process_that_cannot_end_by_itself_is_ended(monkeypatch):
    monkeypatch.setattr("stylegenes.training.watch.GRACE", 0.1)
    with listen() as server:
        far = connect("127.0.0.1", server.getsockname()[1], {"token": "secret", "rank": 1, "host": "birch"}, 5)
        links = accept(server, 1, "secret", 5)
    ended, done = [], threading.Event()
    watch = Watch(links, 5, lambda sentence: (ended.append(sentence), done.set()))
    far.close()
    assert done.wait(5) and ended[0].startswith("rank 1 on birch died")
    watch.close()


def test_strangers_are_hung_up_on():
    with listen() as server:
        port = server.getsockname()[1]
        stranger = socket.create_connection(("127.0.0.1", port))
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        connect("127.0.0.1", port, {"token": "other", "rank": 1, "host": "x"}, 5)
        friend = connect("127.0.0.1", port, {"token": "secret", "rank": 1, "host": "birch"}, 5)
        links = accept(server, 1, "secret", 5)
        assert [link.host for link in links] == ["birch"]
        with pytest.raises(TimeoutError):
            accept(server, 1, "secret", 0.1)
        friend.close()


def test_a_name_that_nobody_knows_is_told():
    with pytest.raises(UserError, match=r"does not know the host nowhere\.invalid \(MASTER_ADDR\).*--local-addr"):
        resolve("nowhere.invalid", 0)


def test_a_port_that_is_taken_is_told(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_USE_AGENT_STORE", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"port {port} .*is taken by another program; set MASTER_PORT"):
            open_store(Seat(0, 2, "127.0.0.1", port), 2)


def test_nobody_who_answers_is_told(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_USE_AGENT_STORE", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(
        UserError, match=rf"nobody answered at 127\.0\.0\.1, port {port} .* for 1 s, asked by rank 1 of 2"
    ):
        open_store(Seat(1, 2, "127.0.0.1", port), 1)


@pytest.fixture
def torchrun(monkeypatch):
    """The store of torchrun, which outlives the processes: where a rank of two is told to look."""
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(store.port))
    return lambda rank, store=store: Seat(rank, 2, "127.0.0.1", store.port)


def test_a_sitting_reads_no_notes_of_the_one_that_broke(torchrun):
    """Rank 1 comes first, finds where the dead rank 0 was, and waits for the living one."""
    dead = open_meeting(torchrun(0), 5)
    dead.store.set("here/1", "long ago")
    del dead
    found = []
    second = threading.Thread(target=lambda: found.append(open_meeting(torchrun(1), 20).store))
    second.start()
    second.join(1)
    assert not found
    first = open_meeting(torchrun(0), 20).store
    second.join(20)
    assert not first.check(["here/1"])
    found[0].set("here/1", "now")
    assert first.get("here/1") == b"now"


def test_ranks_that_do_not_come_are_named(torchrun):
    meeting = open_meeting(torchrun(0), 1)
    with pytest.raises(UserError, match="rank 1 of 2 did not come within 1 s, says rank 0 of 2"):
        _meet(meeting.seat, meeting.store, 1, several=False)


def test_the_interface_is_the_one_that_leads_to_the_others():
    name = next(name for address, name in interfaces().items() if address == "127.0.0.1")
    seat = Seat(1, 2, "127.0.0.1", 29500)
    assert choose_interface({0: "127.0.0.1"}, seat, {}) is None, "loopback leads nowhere"
    assert choose_interface({}, seat, {"GLOO_SOCKET_IFNAME": name}) is None
    with pytest.raises(UserError, match=rf"GLOO_SOCKET_IFNAME is ib7, .*it has .*{name}"):
        choose_interface({}, seat, {"GLOO_SOCKET_IFNAME": "ib7"})


def test_rank_0_takes_the_interface_by_which_others_know_it():
    """Many systems know themselves by a loopback address under their own name."""
    others = {address: name for address, name in interfaces().items() if name != "lo" and ":" not in address}
    if not others:
        pytest.skip("this machine has no network but the loopback")
    address, name = next(iter(others.items()))
    assert choose_interface({0: "127.0.1.1", 1: address}, Seat(0, 2, "127.0.1.1", 29500), {}) == name


def company(own, *others):
    """What `gather` of several ranks gives when the others note this."""
    hosts = {rank: f"host{rank}" for rank in range(len(others) + 1)}
    gather = lambda topic, note: {0: note, **{rank + 1: change(note) for rank, change in enumerate(others)}}  # noqa: E731
    return SimpleNamespace(hosts=hosts, gather=gather, seat=SimpleNamespace(rank=own))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"kimg": 0.08',
            '"kimg": 2.5',
            r"rank 1 on host1 .*rank 0 on host0: kimg is 2\.5 there and 0\.08 here\. Start",
        ),
        ('"data": "tiny-1"', '"data": "tiny-2"', "other data, 40 images there and 40 here"),
        ('"torch": "', '"torch": "9', r"torch 9\S+ there and \S+ here; install one"),
        ('"version": "', '"version": "9', r"stylegenes 9\S+ there and \S+ here; install one"),
        ('"code": "', '"code": "f', "the source of stylegenes .* is not the same; install one"),
    ],
)
def test_processes_that_would_train_otherwise_are_refused(old, new, told):
    def change(note: str) -> str:
        assert old in note
        return note.replace(old, new)

    config, data = tiny_config(), TinyData()
    terms.check_terms(company(0, str), config, data)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=told):
        terms.check_terms(company(0, change), config, data)  # type: ignore[arg-type]


def test_each_host_may_have_the_data_in_a_place_of_its_own():
    there = replace(tiny_config(), data=replace(tiny_config().data, source="/scratch/tiny"))
    notes = []
    terms.check_terms(company(0, lambda note: notes.append(note) or note), there, TinyData())  # type: ignore[arg-type]
    terms.check_terms(company(0, lambda _: notes[0]), tiny_config(), TinyData())  # type: ignore[arg-type]


def test_hosts_may_have_different_numbers_of_processes(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    told = {"LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "3", "GROUP_WORLD_SIZE": "2"}
    assert as_launched(Machine("cpu"), told).ranks == 3
    with pytest.raises(UserError, match="started 2 processes on 2 nodes, but 4 devices on 2 nodes were asked for"):
        as_launched(Machine("cpu", 4, 2), told)


def test_slurm_without_tasks_per_node_is_told(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "4")
    with pytest.raises(UserError, match="started 4 tasks by --ntasks; start them by --ntasks-per-node"):
        as_launched(Machine("cpu"), {"SLURM_NTASKS": "4", "SLURM_NNODES": "2"})
