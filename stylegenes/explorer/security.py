"""Who may come in: Host and Origin, the token, the size of what is sent; and the headers of every answer.

The server listens on the loopback interface unless it is told otherwise, but a browser on the same machine visits
strangers too. So a request must name us (else it came through a rebound DNS name), must not come from another site's
page, and on any other interface must know the token.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stylegenes.errors import UserError
from stylegenes.explorer.nodes import NODES_BYTES
from stylegenes.explorer.schemas import LONGEST_CODE, MOST_CODES

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
UPLOAD_BYTES, UPLOAD_PIXELS = 20 * 2**20, 50_000_000
"""The largest picture that is taken, as a file and decoded."""
BODY_BYTES, IMPORT_BYTES = 2**20 + MOST_CODES * LONGEST_CODE, 16 * 2**20 + NODES_BYTES
"""As many codes as a request may name, however long, and all that is exported; each with what stands around it."""
_LONG = {"/api/v1/inversions": UPLOAD_BYTES, "/api/v1/sessions/import": IMPORT_BYTES}
_SHORTEST_TOKEN = 16
_COOKIE_SECONDS = 30 * 24 * 3600
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


@dataclass(frozen=True)
class Door:
    """Who may come in.

    Attributes:
        host: the address that the server listens on.
        port: its port, which names the cookie: browsers share cookies between ports.
        token: what visitors must know; None asks for nothing.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.token is not None and (len(self.token) < _SHORTEST_TOKEN or not self.token.isascii()):
            raise UserError(
                f"a token has at least {_SHORTEST_TOKEN} plain characters; leave it out to get a random one"
            )
        if self.token is None and not is_loopback(self.host):
            raise UserError(f"on {self.host} the explorer can be reached by others; that needs a token")

    @property
    def cookie(self) -> str:
        """Name of the cookie."""
        return f"stylegenes_explorer_{self.port}"

    @property
    def seal(self) -> str:
        """What the cookie holds: made from the token, which itself is kept nowhere."""
        return hmac.new((self.token or "").encode(), b"stylegenes explorer cookie", hashlib.sha256).hexdigest()

    def names_us(self, host: str) -> bool:
        """Whether a Host header is one of ours; the port is not looked at, for the sake of tunnels."""
        name = _host_name(host)
        if name in LOOPBACK or name == self.host.lower():
            return True
        if is_loopback(self.host):
            return False
        return _is_address(name) or name in _own_names()

    def knows(self, given: str, wanted: str) -> bool:
        """Whether two secrets are the same, in a time that tells nothing."""
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    if host.lower() in LOOPBACK:
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


@cache
def _own_names() -> frozenset[str]:
    """What this machine calls itself, asked once: the answer may take a name server seconds."""
    return frozenset({socket.gethostname().lower(), socket.getfqdn().lower()})


def random_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(32)


class Guard:
    """The outermost layer of the server."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app, self.door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let in with the size of the body watched and the headers of the answer set."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        sender = self._dressed(send)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _answer(sender, *refusal)
            return
        if self.door.token is not None and not await self._welcomed(scope, headers, sender):
            return
        limit = _LONG.get(scope["path"], BODY_BYTES)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 18 or int(length) > limit:
            await _answer(sender, 413, f"what was sent is larger than {limit:,} bytes")
            return
        await self.app(scope, _limited(receive, limit), sender)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self.door.names_us(host):
            return 403, "this explorer is not known by that name; open it at the address that it printed"
        origin = headers.get("origin")
        if origin is not None and not _is_same(origin, host):
            return 403, "requests from pages of other sites are refused"
        site = headers.get("sec-fetch-site", "none")
        visit = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate" and scope["path"] == "/"
        if site not in ("none", "same-origin") and not visit:
            return 403, "requests from pages of other sites are refused"
        return None

    def _is_known(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        assert self.door.token is not None
        if scheme.lower() == "bearer" and self.door.knows(given.strip(), self.door.token):
            return True
        try:
            cookies: SimpleCookie = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        morsel = cookies.get(self.door.cookie)
        return morsel is not None and self.door.knows(morsel.value, self.door.seal)

    async def _welcomed(self, scope: Scope, headers: Headers, send: Send) -> bool:
        """Whether a visitor is known; else a first visit's token is taken for a cookie, or asked for.

        The token is taken out of the address of later visits too: people copy addresses.
        """
        given = parse_qs(scope["query_string"].decode("latin-1"), errors="replace").get("token", [""])[0]
        assert self.door.token is not None
        visit = scope["path"] == "/" and scope["method"] == "GET"
        known = self._is_known(headers)
        if known and not (visit and given):
            return True
        if visit and (known or self.door.knows(given, self.door.token)):
            secure = "; Secure" if scope.get("scheme") == "https" else ""
            cookie = f"{self.door.cookie}={self.door.seal}; Path=/; Max-Age={_COOKIE_SECONDS}; HttpOnly; SameSite=Lax"
            await _answer(send, 303, "welcome", {"location": "/", "set-cookie": cookie + secure})
            return False
        sentence = "this explorer asks for its token; open the address that it printed, with ?token= and the token"
        await _answer(send, 401, sentence, {"www-authenticate": "Bearer"})
        return False

    def _dressed(self, send: Send) -> Send:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return dressed


def _limited(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413, f"what was sent is larger than {limit:,} bytes")
        return message

    return limited


async def _answer(send: Send, status: int, detail: str, more: Mapping[str, str] | None = None) -> None:
    body = json.dumps({"detail": detail}).encode()
    fields: dict[str, Any] = {"content-type": "application/json", "content-length": str(len(body)), **(more or {})}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _host_name(host: str) -> str:
    """The name of a Host header, without port and brackets; "" for what is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if not set(host) & set("/?#@\\ ") else ""
    except ValueError:
        return ""


def _is_same(origin: str, host: str) -> bool:
    scheme, _, rest = origin.partition("://")
    return scheme in ("http", "https") and rest.lower() == host.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
