"""`/pictures` and `/differences`: a picture's address says all about it, so that it never changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Header, HTTPException, Request, Response
from PIL import Image

from stylegenes.explorer.answers import problems
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.looks import Shown
from stylegenes.explorer.worker import Priority
from stylegenes.pictures import encode, to_pil
from stylegenes.styles import check_texts

_YEAR = 365 * 24 * 3600
_PNG = {200: {"content": {"image/png": {}}, "description": "The picture."}}
Urgency = Annotated[Literal["click", "hover", "thumbnail"], Header(alias="X-Priority")]
Slot = Annotated[str | None, Header(alias="X-Slot", max_length=200)]


def drawn_routes(desk: Desk) -> APIRouter:
    """Pictures and differences."""
    router = APIRouter(tags=["pictures"], responses={**_PNG, **problems(404, 409, 422, 503)})

    @router.get("/pictures/{model}/{look}/{code}.png", response_class=Response, status_code=200)
    async def picture(
        request: Request,
        model: str,
        look: str,
        code: str,
        x_priority: Urgency = "thumbnail",
        x_slot: Slot = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """The picture of a code; the address is its whole recipe.

        `model` names the weights, `look` says how to draw, and `code` is a code string. The headers are optional:
        `x_priority` says how soon, an older request of the same `x_slot` that still waits is given up, and a picture
        whose tag is in `if_none_match` is not sent again (304).
        """
        _check_hash(desk, model)
        shown = desk.look(look)
        return await _answer(
            desk, request, lambda: _draw(desk, shown, [code]), f"p/{look}/{code}", (x_priority, x_slot, if_none_match)
        )

    @router.get("/differences/{model}/{look}/{code}/{other}.png", response_class=Response, status_code=200)
    async def difference(
        request: Request,
        model: str,
        look: str,
        code: str,
        other: str,
        x_priority: Urgency = "thumbnail",
        x_slot: Slot = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Where the pictures of two codes differ: white is the largest difference that there can be.

        `code` and `other` are code strings; `model`, `look` and the headers `x_priority`, `x_slot` and
        `if_none_match` are as for a picture.
        """
        _check_hash(desk, model)
        shown = desk.look(look)
        address = f"d/{look}/{code}/{other}"
        return await _answer(
            desk, request, lambda: _draw(desk, shown, [code, other]), address, (x_priority, x_slot, if_none_match)
        )

    return router


def _check_hash(desk: Desk, model: str) -> None:
    if model != desk.hash:
        raise HTTPException(404, "this is a picture of other weights than those that are explored here")


async def _answer(
    desk: Desk, request: Request, draw: Callable[[], bytes], address: str, asked: tuple[str, str | None, str | None]
) -> Response:
    urgency, slot, known = asked
    tag = f'"{hashlib.sha256(f"{desk.hash}/{address}".encode()).hexdigest()[:32]}"'
    scope = "public" if request.app.state.open_to_all else "private"
    headers = {"ETag": tag, "Cache-Control": f"{scope}, max-age={_YEAR}, immutable"}
    if known is not None and tag in [one.strip().removeprefix("W/") for one in known.split(",")]:
        return Response(status_code=304, headers=headers)
    file = desk.shelf.get(address)
    if file is None:
        work = lambda: desk.shelf.put(address, draw())  # noqa: E731
        file = await desk.do(request, work, Priority[urgency.upper()], key=address, slot=slot)
    return Response(file, media_type="image/png", headers=headers)


def _draw(desk: Desk, shown: Shown, codes: list[str]) -> bytes:
    """The file of one code's picture, or of the difference between two."""
    model = desk.opened
    check_texts(model.generator, codes)
    one = (
        model.pictures(codes, shown.drawing)[0]
        if len(codes) == 1
        else model.difference(codes[0], codes[1], shown.drawing)
    )
    return encode(_reduced(one, shown.size), shown.origin(model).text(codes))


def _reduced(picture: np.ndarray, height: int | None) -> np.ndarray:
    """The picture [H, W, C] no higher than `height` pixels."""
    if height is None or height >= picture.shape[0]:
        return picture
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    small = np.asarray(to_pil(picture).resize((width, height), Image.Resampling.BOX))
    return small.reshape((height, width, -1))
