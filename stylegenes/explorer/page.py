"""The page's files, read once when the server starts: no path of a request is ever looked up on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Response

PAGE = Path(__file__).with_name("page")
INDEX = "index.html"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}
_NOT_BUILT = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>stylegenes</title>
<h1>stylegenes explorer</h1><p>The page was not built here; the API answers at <a href="/api/v1/info">/api/v1</a>.</p>
</html>"""


@dataclass(frozen=True)
class Asset:
    """A file of the page.

    Attributes:
        content: its bytes.
        kind: its media type.
        tag: its ETag.
    """

    content: bytes
    kind: str
    tag: str


def read_page(folder: Path = PAGE) -> dict[str, Asset]:
    """The files of a built page by their path in it; a word of explanation where none was built."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in _TYPES)
    found = {str(path.relative_to(folder).as_posix()): _asset(path.read_bytes(), _TYPES[path.suffix]) for path in files}
    return {INDEX: _asset(_NOT_BUILT, _TYPES[".html"]), **found}


def page_routes(assets: dict[str, Asset]) -> APIRouter:
    """The page's files."""
    router = APIRouter(include_in_schema=False)

    @router.get("/{path:path}")
    def file(path: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
        asset = assets.get(path or INDEX)
        if asset is None:
            raise HTTPException(404, "there is nothing at this address")
        hashed = path.startswith("assets/")
        headers = {"ETag": asset.tag, "Cache-Control": "max-age=31536000, immutable" if hashed else "no-cache"}
        if if_none_match == asset.tag:
            return Response(status_code=304, headers=headers)
        return Response(asset.content, media_type=asset.kind, headers=headers)

    return router


def _asset(content: bytes, kind: str) -> Asset:
    return Asset(content, kind, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
