"""A server on the shipped models, spoken to without a network."""

from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient

import stylegenes
from stylegenes.explorer.app import create_app
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.security import Door
from stylegenes.explorer.store import SessionStore

ADDRESS = "http://localhost:8765"


@pytest.fixture(scope="session")
def genome_model():
    return stylegenes.open("avatars32", device="cpu")


@pytest.fixture(scope="session")
def mapping_model():
    return stylegenes.open("avatars32-mapping", classifier="avatars32-judge", device="cpu")


@pytest.fixture(scope="session")
def client_of(tmp_path_factory):
    """Makes a client of a model, or of a desk's other parts."""
    with ExitStack() as stack:

        def make(model, door=None, **parts):
            folder = tmp_path_factory.mktemp("explorer")
            store = None if model is None else SessionStore(folder / "explorer.sqlite", model.weights)
            desk = Desk(model, store=store, **parts)
            app = create_app(desk, door or Door())
            client = TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)
            client.desk = desk
            return stack.enter_context(client)

        yield make


@pytest.fixture(scope="session")
def genome(client_of, genome_model):
    return client_of(genome_model)


@pytest.fixture(scope="session")
def mapping(client_of, mapping_model):
    return client_of(mapping_model)


@pytest.fixture(scope="session", params=["genome", "mapping"])
def either(request):
    """Clients of both kinds of model, one after the other."""
    return request.getfixturevalue(request.param)
