"""Answers when something is wrong: always `{"detail": sentence}`, and documented."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from stylegenes.errors import UserError, shown
from stylegenes.explorer.desk import ClientGone
from stylegenes.explorer.nodes import Taken, Unknown
from stylegenes.explorer.schemas import Problem
from stylegenes.explorer.worker import OWN_MISTAKE, Busy, Replaced, Stopped

log = logging.getLogger(__name__)
_SAID = {
    401: "The token is missing.",
    403: "The request comes from another site, or names another host.",
    404: "There is no such thing.",
    409: "It is not the time for it: replaced by a newer request, or taken.",
    413: "Too large.",
    415: "Not a picture.",
    422: "The request cannot be read.",
    503: "Too much to do; Retry-After says when to come again.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of answers with these statuses; 401, 403, 413 and 422 are always among them."""
    return {
        status: {"model": Problem, "description": _SAID[status]} for status in sorted({401, 403, 413, 422, *statuses})
    }


def add_answers(app: FastAPI) -> None:
    """Make every error an answer in words."""

    @app.exception_handler(UserError)
    def mistaken(request: Request, error: UserError) -> JSONResponse:
        return _say(422, str(error))

    @app.exception_handler(Unknown)
    def unknown(request: Request, error: Unknown) -> JSONResponse:
        return _say(404, str(error))

    @app.exception_handler(Taken)
    def taken(request: Request, error: Taken) -> JSONResponse:
        return _say(409, str(error))

    @app.exception_handler(RequestValidationError)
    def unreadable(request: Request, error: RequestValidationError) -> JSONResponse:
        return _say(422, "; ".join(_sentence(one) for one in error.errors()[:5]))

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 400:
            return _say(422, "the request cannot be read as JSON")
        words = {
            "Not Found": "there is nothing at this address",
            "Method Not Allowed": "this address takes no such method",
        }
        return _say(error.status_code, words.get(error.detail, str(error.detail)), error.headers)

    @app.exception_handler(Busy)
    def busy(request: Request, error: Busy) -> JSONResponse:
        return _say(503, str(error), {"Retry-After": str(error.seconds)})

    @app.exception_handler(sqlite3.Error)
    def unwritten(request: Request, error: sqlite3.Error) -> JSONResponse:
        log.error("the sessions cannot be written", exc_info=error)
        return _say(503, f"the sessions cannot be read or written at the moment: {error}", {"Retry-After": "5"})

    @app.exception_handler(Stopped)
    def stopped(request: Request, error: Stopped) -> JSONResponse:
        return _say(503, str(error), {"Retry-After": "5"})

    @app.exception_handler(Replaced)
    def replaced(request: Request, error: Replaced) -> JSONResponse:
        return _say(409, str(error))

    @app.exception_handler(ClientGone)
    def gone(request: Request, error: ClientGone) -> JSONResponse:
        return _say(409, "the client has left")

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> JSONResponse:
        log.error("an error of the explorer itself, at %s", request.url.path, exc_info=error)
        return _say(500, OWN_MISTAKE)


def _say(status: int, sentence: str, headers: Any = None) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status, headers)


def _sentence(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path", "header"))
    return f"{shown(place, 60) or 'the request'}: {shown(error['msg'], 200)}"
