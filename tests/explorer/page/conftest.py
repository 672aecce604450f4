"""A real browser on the page: Debian's Chromium, a static site under a sub-path, and servers of both kinds of model."""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest

from stylegenes.explorer.desk import Desk
from stylegenes.explorer.security import Door
from stylegenes.explorer.serve import serve, take_port
from stylegenes.explorer.site import export_site
from stylegenes.explorer.store import SessionStore

NAMES = ("chromium", "chromium-browser", "google-chrome")
READY = "html[data-ready=yes]"


@pytest.fixture(scope="session")
def chromium():
    api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    # A loaded machine takes its time; what never comes still fails.
    api.expect.set_options(timeout=20_000)
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Opens the page, waits until it is ready, and fails for anything that went wrong in it or came from elsewhere."""
    contexts, troubles = [], []

    def make(address, fragment="", *, ready=True, expected=(), **options):
        context = chromium.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "accept_downloads": True} | options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        own = address.split("://")[1].split("/")[0]

        def note(kind, text):
            if not any(words in text for words in expected):
                troubles.append(f"{kind}: {text}")

        page.on("console", lambda message: note(message.type, message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: note("exception", str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("blob:", "data:")) or request.url.split("://")[1].split("/")[0] == own
                else note("request", request.url)
            ),
        )
        page.goto(address + fragment)
        if ready:
            page.wait_for_selector(READY, state="attached")
        return page

    yield make
    for context in contexts:
        context.close()
    assert troubles == []


class _Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        pass


@pytest.fixture(scope="session")
def static_host(tmp_path_factory):
    """Hands out a folder at an address below the root of its host."""
    hosts = []

    def make(folder: Path) -> str:
        root = tmp_path_factory.mktemp("host")
        place = root / "some" / "where"
        place.parent.mkdir()
        place.symlink_to(folder, target_is_directory=True)
        handler = functools.partial(_Files, directory=str(root))
        host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        hosts.append(host)
        threading.Thread(target=host.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{host.server_port}/some/where/"

    yield make
    for host in hosts:
        host.shutdown()


@pytest.fixture(scope="session")
def site_folder(genome_model, tmp_path_factory):
    pytest.importorskip("onnx")
    folder = tmp_path_factory.mktemp("site") / "site"
    found = export_site(genome_model, folder)
    assert found.difference is None or found.difference < 1e-4
    return folder


@pytest.fixture(scope="session")
def site(site_folder, static_host):
    return static_host(site_folder)


@pytest.fixture(scope="session")
def serving():
    """A server of a desk on a port of its own; returns its address."""

    def make(desk) -> str:
        listening = take_port("127.0.0.1", 0)
        port = listening.getsockname()[1]
        run = functools.partial(serve, desk, Door("127.0.0.1", port, None), listening)
        threading.Thread(target=run, kwargs={"browse": False, "say": lambda text: None}, daemon=True).start()
        return f"http://127.0.0.1:{port}/"

    return make


@pytest.fixture(scope="session")
def served(serving, tmp_path_factory):
    """A server of a model."""

    def make(model) -> str:
        place = tmp_path_factory.mktemp("sessions") / "explorer.sqlite"
        return serving(Desk(model, store=SessionStore(place, model.weights)))

    return make


@pytest.fixture(scope="session")
def genome_server(served, genome_model):
    return served(genome_model)


@pytest.fixture(scope="session")
def mapping_server(served, mapping_model):
    return served(mapping_model)


@pytest.fixture
def place(request):
    """The address of one of the fixtures above, by its name."""
    return request.getfixturevalue(request.param)
