"""The server as a process: it prints where it is, loses no node to a kill, and says why it cannot start."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from stylegenes.cli.main import run
from stylegenes.errors import UserError
from stylegenes.explorer.app import create_app
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.security import Door
from stylegenes.explorer.serve import address, is_run, open_desk, take_port
from stylegenes.explorer.store import SessionStore


@contextmanager
def server(folder, *options):
    """A process that serves the shipped model in `folder`; gives it and its address."""
    command = [sys.executable, "-m", "stylegenes", "explore", "avatars32", "--port=0", "--device=cpu", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "COLUMNS": "200"}, **pipes)
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + process.stdout.read()
        yield process, found[0]
    finally:
        process.kill()
        process.wait()


def test_kill_9_of_the_server_loses_no_answered_node(tmp_path, genome_model):
    with server(tmp_path) as (process, at):
        visitor = httpx.Client(base_url=f"{at}api/v1", timeout=30)
        code = visitor.post("/dice", json={"count": 1, "seed": 1}).json()["children"][0]["code"]
        visitor.post("/sessions", json={"name": "s"})
        answered = []

        def add():
            own = httpx.Client(base_url=f"{at}api/v1", timeout=30)
            try:
                while True:
                    nodes = [{"code": code, "operation": "mutate", "arguments": {"n": len(answered)}}] * 3
                    answer = own.post("/sessions/s/nodes", json={"nodes": nodes, "select": 2})
                    answered.extend(node["id"] for node in answer.json()["nodes"])
            except httpx.HTTPError:
                pass

        threads = [threading.Thread(target=add) for _ in range(3)]
        for thread in threads:
            thread.start()
        while len(answered) < 60:
            threads[0].join(0.01)
        os.kill(process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join(30)
    store = SessionStore(tmp_path / "avatars32-explorer.sqlite", genome_model.weights)
    kept = [node.id for node in store.nodes("s")]
    # Three nodes come with each request: all of them or none.
    assert set(answered) <= set(kept) and len(kept) % 3 == 0 and store.pointer("s").current in kept


def test_a_token_comes_from_the_environment_and_is_printed_once(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGENES_EXPLORER_TOKEN", "from-the-environment")
    with server(tmp_path, "--host=0.0.0.0") as (process, at):
        port = re.search(r":(\d+)/", at)[1]
        assert at.endswith("?token=from-the-environment")
        here = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{here}/api/v1/info", timeout=30).status_code == 401
        known = httpx.get(f"{here}/?token=from-the-environment", timeout=30)
        assert known.status_code == 303
        assert httpx.get(f"{here}/api/v1/info", cookies=known.cookies, timeout=30).status_code == 200
        # Ctrl-C is how one ends it, also while somebody listens to events.
        with httpx.stream("GET", f"{here}/api/v1/directions/events", cookies=known.cookies, timeout=60):
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        assert "from-the-environment" not in process.stdout.read()


def test_a_port_that_is_taken_is_said(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert run(["explore", "--port", str(port)]) == 1
        assert f"port {port} is taken" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["nope"], "no such folder"),
        (["--host", "203.0.113.7"], "no address of this machine"),
        (["--host", "not a host"], "no address"),
        (["--port", "99999"], "65535"),
        (["--token", "short"], "at least 16"),
        (["--sessions", "no/folder/s.sqlite"], "--sessions"),
        (["--classifier", "nope"], "nope"),
    ],
)
def test_what_cannot_be_served_is_said(options, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stylegenes.explorer.serve.serve", lambda *args, **more: pytest.fail("it was served"))
    assert run(["explore", "--port=0", "--device=cpu", *options]) == 1
    assert says in capsys.readouterr().err
    assert not list(tmp_path.glob("*.sqlite*"))


def test_a_run_folder_is_told_from_a_snapshot(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert not is_run(tmp_path)
    (tmp_path / "stats.jsonl").write_text("")
    assert is_run(tmp_path)
    desk = open_desk(tmp_path)
    assert desk.model is None and desk.run == tmp_path
    desk.close()
    (tmp_path / "card.json").write_text("{}")
    assert not is_run(tmp_path)


def test_addresses_can_be_opened():
    assert address(Door("127.0.0.1", 8765)) == "http://127.0.0.1:8765/"
    assert address(Door("::1", 80)) == "http://[::1]:80/"
    assert address(Door("0.0.0.0", 80, "x" * 20)).endswith(f":80/?token={'x' * 20}")
    listening = take_port("127.0.0.1", 0)
    assert listening.proto == socket.IPPROTO_TCP, "else asyncio leaves a delay of 40 ms in each small answer"
    assert listening.getsockname()[1] > 0
    with pytest.raises(UserError, match="taken"):
        take_port("127.0.0.1", listening.getsockname()[1])
    listening.close()


@pytest.mark.parametrize(
    "token",
    [
        "correct+horse+battery",
        "salt&pepper#and-more",
        "a=b?c=d&token=another-one",
        "100%41%2B%zz-of-a-token",
        " between and around ",
        "/slash/../\\back;semi,colon",
        "\"quotes\" 'and' <marks>[bold]",
        "control\t\n\r\x00\x1b characters",
        "plain-token_of.some~length",
    ],
)
def test_the_printed_address_brings_its_token_whatever_stands_in_it(token):
    door = Door("0.0.0.0", 80, token)
    printed = address(door)
    assert re.fullmatch(r"http://[\w.-]+:80/\?token=[\w.~%-]+", printed, re.ASCII), printed
    assert parse_qs(urlsplit(printed).query) == {"token": [token]}
    assert httpx.URL(printed).params["token"] == token
    with TestClient(create_app(Desk(None), door), base_url="http://localhost", follow_redirects=False) as client:
        welcome = client.get(printed.removeprefix(printed.partition("/?")[0]))
        assert welcome.status_code == 303 and welcome.headers["location"] == "/"
        assert client.get("/").status_code == 200
