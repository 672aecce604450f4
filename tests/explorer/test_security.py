"""The server as an attacker sees it: other sites, rebound names, guessed tokens, paths, and what stays in logs."""

import logging
import socket

import pytest
import torch
from starlette.testclient import TestClient

from stylegenes.errors import UserError
from stylegenes.explorer import security
from stylegenes.explorer.page import PAGE, Asset, page_routes, read_page
from stylegenes.explorer.security import BODY_BYTES, HEADERS, Door, is_loopback, random_token
from stylegenes.styles import write_styles

TOKEN = "a-token-of-some-length"
INFO = "/api/v1/info"


@pytest.fixture(scope="module")
def guarded(client_of, genome_model):
    return client_of(genome_model, door=Door("0.0.0.0", 8765, TOKEN))


def fresh(client):
    """The same server for another visitor."""
    return TestClient(
        client.app, base_url="http://localhost:8765", raise_server_exceptions=False, follow_redirects=False
    )


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "evil.example:8765",
        "",
        "localhost@evil.example",
        "evil.example#localhost",
        "2130706433",
        "0x7f000001",
        "localhost evil",
        "[::1",
        "10.0.0.5",
        "169.254.169.254",
    ],
)
def test_names_that_are_not_ours_are_refused(genome, host):
    answer = genome.get(INFO, headers={"host": host})
    assert answer.status_code == 403 and "detail" in answer.json()
    assert genome.post("/api/v1/dice", json={}, headers={"host": host}).status_code == 403
    assert genome.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9999", "127.0.0.1:8765", "[::1]:8765"])
def test_our_own_names_are_known_whatever_the_port_of_a_tunnel(genome, host):
    assert genome.get(INFO, headers={"host": host}).status_code == 200


def test_two_host_headers_are_refused(genome):
    assert genome.get(INFO, headers=[("host", "localhost"), ("host", "evil.example")]).status_code == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://localhost:3000",
        "http://localhost",
        "file://",
        "http://localhost:8765.evil.example",
    ],
)
def test_pages_of_other_sites_are_refused(genome, origin):
    for answer in (
        genome.post("/api/v1/dice", json={}, headers={"origin": origin}),
        genome.get(INFO, headers={"origin": origin}),
        genome.put("/api/v1/sessions/x/favorites/1", json={"favorite": True}, headers={"origin": origin}),
        genome.options(INFO, headers={"origin": origin, "access-control-request-method": "POST"}),
    ):
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_our_own_page_is_let_in(genome):
    own = {"origin": "http://localhost:8765", "sec-fetch-site": "same-origin"}
    assert genome.post("/api/v1/dice", json={"count": 1}, headers=own).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_embedding_is_refused_and_visiting_is_not(genome, site):
    code = genome.post("/api/v1/dice", json={"count": 1}).json()["children"][0]["code"]
    picture = f"/api/v1/pictures/{genome.desk.hash}/plain/{code}.png"
    for path in (picture, INFO, "/", "/api/v1/status"):
        answer = genome.get(path, headers={"sec-fetch-site": site, "sec-fetch-mode": "no-cors"})
        assert answer.status_code == 403
    visit = {"sec-fetch-site": site, "sec-fetch-mode": "navigate"}
    assert genome.get("/", headers=visit).status_code == 200
    assert genome.get(INFO, headers=visit).status_code == 403
    assert genome.post("/", headers=visit).status_code == 403


def test_every_answer_has_the_headers(genome, guarded):
    for answer in (
        genome.get("/"),
        genome.get(INFO),
        genome.get("/nope"),
        genome.get(INFO, headers={"host": "evil.example"}),
        genome.post("/api/v1/dice", json={"count": 0}),
        fresh(guarded).get(INFO),
        fresh(guarded).get(f"/?token={TOKEN}"),
    ):
        assert all(answer.headers[name] == value for name, value in HEADERS.items())
        assert answer.headers["cache-control"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "http" not in answer.headers["content-security-policy"]


def test_a_token_is_asked_for_and_a_cookie_remembers_the_first_visit(guarded):
    client = fresh(guarded)
    for path in ("/", INFO, "/api/v1/openapi.json", "/assets/x.js"):
        answer = client.get(path)
        assert answer.status_code == 401 and "token" in answer.json()["detail"]
    welcome = client.get(f"/?token={TOKEN}")
    assert welcome.status_code == 303 and welcome.headers["location"] == "/"
    cookie = welcome.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and TOKEN not in cookie
    assert client.get(INFO).status_code == 200 and client.get("/").status_code == 200
    assert fresh(guarded).get(INFO, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    private = client.get(f"/api/v1/pictures/{guarded.desk.hash}/plain/{'x' * 46}.png")
    assert private.status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong-token-of-some-length"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Bearer "},
        {"authorization": f"Basic {TOKEN}"},
        {"cookie": f"stylegenes_explorer_8765={TOKEN}"},
        {"cookie": "stylegenes_explorer_8765="},
        {"cookie": "stylegenes_explorer_8765=" + "0" * 64},
        {"cookie": "\xff\xfe; =;;;"},
    ],
)
def test_wrong_tokens_are_refused(guarded, headers):
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    assert fresh(guarded).get(INFO, headers=raw).status_code == 401


@pytest.mark.parametrize("path", ["/?token=", "/?token=wrong", "/?token=%ff%fe", f"/api/v1/info?token={TOKEN}"])
def test_a_token_counts_at_the_front_door_alone(guarded, path):
    answer = fresh(guarded).get(path)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers


def test_secrets_are_compared_in_constant_time(monkeypatch):
    import hmac

    seen = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: seen.append((a, b)) or compare(a, b))
    assert Door("0.0.0.0", 1, TOKEN).knows(TOKEN, TOKEN)
    assert seen == [(TOKEN.encode(), TOKEN.encode())]


def test_a_token_is_in_no_log_and_no_representation(guarded, caplog):
    with caplog.at_level(logging.DEBUG):
        client = fresh(guarded)
        client.get(f"/?token={TOKEN}")
        client.get(INFO, headers={"authorization": f"Bearer {TOKEN}"})
        client.get(f"/api/v1/nope?token={TOKEN}")
    ours = [record for record in caplog.records if not record.name.startswith("httpx")]
    assert not any(TOKEN in record.getMessage() for record in ours)
    assert TOKEN not in repr(guarded.app.door) and TOKEN not in str(guarded.app.door)


def test_other_addresses_need_a_token():
    for host in ("0.0.0.0", "192.168.1.5", "::", "example.org", socket.gethostname() + ".lan"):
        with pytest.raises(UserError, match="needs a token"):
            Door(host, 8765, None)
    with pytest.raises(UserError, match="at least"):
        Door("127.0.0.1", 8765, "short")
    assert is_loopback("127.0.0.9") and is_loopback("::1") and not is_loopback("127.0.0.1.nip.io")
    assert len({random_token() for _ in range(100)}) == 100 and len(random_token()) >= 40


SECRETS = [
    "/../../../../etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/assets/../../app.py",
    "/assets/..%5c..%5capp.py",
    "//etc/passwd",
    "/assets/%00",
    "/app.py",
    "/explorer.sqlite",
    "/api/v1/../../app.py",
    "/assets/" + "a" * 5000,
]


@pytest.mark.parametrize("path", SECRETS, ids=range(len(SECRETS)))
def test_no_path_reaches_the_file_system(genome, path):
    answer = genome.get(path)
    assert answer.status_code == 404
    assert b"root:" not in answer.content and b"import" not in answer.content


def test_pages_are_read_once_and_looked_up_by_name(tmp_path):
    (tmp_path / "index.html").write_text("<html>ours</html>")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.js").write_text("let a = 1")
    (tmp_path / "notes.txt").write_text("not of the page")
    found = read_page(tmp_path)
    assert set(found) == {"index.html", "assets/a.js"}
    assert found["assets/a.js"].kind.startswith("text/javascript")
    (tmp_path / "assets" / "late.js").write_text("x")
    from fastapi import FastAPI

    app = FastAPI()
    app.include_router(page_routes(found))
    client = TestClient(app)
    assert client.get("/").text == "<html>ours</html>" and client.get("/index.html").status_code == 200
    assert "immutable" in client.get("/assets/a.js").headers["cache-control"]
    assert client.get("/assets/a.js", headers={"if-none-match": found["assets/a.js"].tag}).status_code == 304
    assert client.get("/assets/late.js").status_code == client.get("/notes.txt").status_code == 404


def test_the_page_asks_for_nothing_from_elsewhere():
    assets: dict[str, Asset] = read_page(PAGE)
    index = assets["index.html"].content.decode()
    for outside in ('src="http', 'href="http', 'src="//', "@import", "<script>", "javascript:", "style="):
        assert outside not in index


@pytest.mark.parametrize("size", [BODY_BYTES + 1, 2**40])
def test_large_requests_are_refused_before_they_are_read(genome, size):
    answer = genome.post("/api/v1/dice", content=b"{}", headers={"content-length": str(size)})
    assert answer.status_code == 413
    for wrong in ("-1", "1e3", "99999999999999999999"):
        assert genome.post("/api/v1/dice", content=b"{}", headers={"content-length": wrong}).status_code == 413


def test_large_requests_without_a_length_are_cut_off(genome):
    answer = genome.post(
        "/api/v1/dice", content=iter([b" " * 2**20] * 20), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


def test_as_many_codes_as_are_promised_are_let_in_however_long(genome):
    most = genome.get(INFO).json()["limits"]["codes"]
    (vectors,) = write_styles(torch.randn(1, 8, 128))
    code = "~".join([vectors] + [f"{vectors}@0"] * 9)
    assert len(code) > 18 * 512 * 32 / 6, "as many letters as all style vectors of a network of 1024 pixels"
    for path in ("judge", "lines"):
        answer = genome.post(f"/api/v1/{path}", json={"codes": [code] * most})
        assert answer.status_code == 200, answer.text[:200]
    assert genome.post("/api/v1/lines", json={"codes": [code] * (most + 1)}).status_code == 422


def test_forms_of_other_sites_are_no_json(genome):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = genome.post("/api/v1/sessions", content='{"name": "forged"}', headers={"content-type": kind})
        assert answer.status_code in (415, 422)
    assert "forged" not in genome.get("/api/v1/sessions").text


def test_an_error_of_our_own_says_nothing_about_the_inside(genome, monkeypatch, caplog):
    monkeypatch.setattr(type(genome.desk.model), "mutants", lambda *args, **more: 1 / 0)
    code = genome.post("/api/v1/dice", json={"count": 1}).json()["children"][0]["code"]
    answer = genome.post("/api/v1/mutate", json={"code": code})
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text and "Traceback" not in answer.text


def test_the_token_leaves_the_address_on_every_visit(guarded):
    client = fresh(guarded)
    for token in (TOKEN, TOKEN, "an-outdated-token-in-a-bookmark"):
        answer = client.get(f"/?token={token}")
        assert answer.status_code == 303 and answer.headers["location"] == "/"
    assert client.get("/").status_code == 200
    assert fresh(guarded).get("/?token=wrong-token-of-some-length").status_code == 401


def test_no_request_waits_for_a_name_server(monkeypatch):
    asked = []
    monkeypatch.setattr(socket, "getfqdn", lambda: asked.append(1) or "Box.example")
    security._own_names.cache_clear()
    door = Door("0.0.0.0", 8765, TOKEN)
    assert all(door.names_us(host) for host in ("192.168.1.5:8765", "[fe80::1]:8765", "localhost"))
    assert asked == []
    assert door.names_us("box.example") and not door.names_us("evil.example") and not door.names_us("other.example")
    assert asked == [1]
    security._own_names.cache_clear()
