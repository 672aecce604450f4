"""Requests made up from the OpenAPI document: no error of our own, and no answer that is not documented."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from stylegenes.explorer.app import create_api
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.security import Door

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
QUIET = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


# Streams of events have no end, and a fit takes long; tests of their own read them.
OPERATIONS = [
    (path, verb)
    for path, verbs in create_api(Desk(None), Door()).openapi()["paths"].items()
    for verb in verbs
    if not path.endswith(("events", "fit"))
]


def going_on(app):
    """The application for clients that begin and end it with every request."""

    async def ask(scope, receive, send):
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for word in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{word}.complete"})

    return ask


@pytest.fixture(scope="module", params=["genome", "mapping"])
def client(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def made_up(client):
    app = going_on(client.app)
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers={"host": "localhost"})


@pytest.fixture(scope="module")
def real(client):
    """What is needed to get past the first check: codes, a session, a picture's model."""
    codes = [child["code"] for child in client.post("/api/v1/dice", json={"count": 2, "seed": 3}).json()["children"]]
    client.post("/api/v1/sessions", json={"name": "made up"})
    one = {"model": client.desk.hash, "look": "psi=0.5", "code": codes[0], "other": codes[1], "name": "made up"}
    one |= {"attribute": "Smiling", "wishes": "Smiling=1", "hold": "", "start": codes[0], "end": codes[1]}
    many = {"codes": codes, "parents": codes, "rows": codes[:1], "columns": codes[1:], "hold": []}
    return one, many


def mended(case, real):
    """The same request with real codes and names in the places of made-up ones."""
    one, many = real
    for part in (case.path_parameters, case.body):
        for name in list(part) if isinstance(part, dict) else []:
            part[name] = many[name] if isinstance(part[name], list) and name in many else one.get(name, part[name])
    return case


def ask(schema, real, path, verb, examples, derandomize):
    @given(case=schema[path][verb.upper()].as_strategy())
    @settings(max_examples=examples, deadline=None, suppress_health_check=QUIET, derandomize=derandomize, database=None)
    def check(case):
        case.call_and_validate(checks=CHECKS, headers={"host": "localhost"})
        mended(case, real).call_and_validate(checks=CHECKS, headers={"host": "localhost"})

    check()


@pytest.mark.parametrize(("path", "verb"), OPERATIONS)
def test_requests_made_up_from_the_document(made_up, real, path, verb):
    ask(made_up, real, path, verb, 5, True)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "verb"), OPERATIONS)
def test_many_requests_made_up_from_the_document(made_up, real, path, verb):
    ask(made_up, real, path, verb, 60, False)


def test_the_document_knows_every_address_and_every_answer(genome):
    document = genome.get("/api/v1/openapi.json").json()
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    operations = [(path, verb, one) for path, verbs in document["paths"].items() for verb, one in verbs.items()]
    assert len(operations) > 35
    for path, verb, one in operations:
        assert one.get("summary") and one.get("description"), (verb, path)
        assert {"401", "403", "413", "422"} <= set(one["responses"]), (verb, path)
        if verb in ("post", "put", "patch") and "fit" not in path and not path.endswith(("undo", "redo")):
            assert "requestBody" in one, (verb, path)
