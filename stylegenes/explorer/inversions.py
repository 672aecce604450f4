"""`/inversions`: a photo is taken in, watched on its way into the model, and given up."""

from __future__ import annotations

import base64
import threading
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from stylegenes.data.decode import BadImageError
from stylegenes.errors import UserError
from stylegenes.explorer.answers import problems
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.events import EVENTS, stream
from stylegenes.explorer.inverting import ENDS, Inverter
from stylegenes.explorer.schemas import LookText
from stylegenes.explorer.security import UPLOAD_PIXELS
from stylegenes.explorer.tool_schemas import InversionBegun, InversionState, Inverted
from stylegenes.inversion.inversion import InversionSettings
from stylegenes.inversion.photos import Crop, Photos, photo_of
from stylegenes.model import Model
from stylegenes.pictures import encode, to_uint8
from stylegenes.records import Condition

Side = Annotated[float | None, Query(ge=0, le=100_000, allow_inf_nan=False)]
_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": {}, "image/*": {}}}}
_decoding = threading.Lock()
"""Large pictures are decoded one at a time: each takes some hundred megabytes."""


def inversion_routes(desk: Desk) -> APIRouter:
    """Photos on their way into the model."""
    router = APIRouter(prefix="/inversions", tags=["invert"], responses=problems(404, 415, 503))
    inverter = Inverter(desk)

    @router.post("", status_code=202, openapi_extra=_BODY)
    async def begin(
        request: Request,
        left: Side = None,
        top: Side = None,
        size: Side = None,
        steps: Annotated[int, Query(ge=1, le=2000)] = 200,
        space: Literal["genome", "w", "w+"] | None = None,
        look: Annotated[LookText, Query()] = "plain",
    ) -> InversionBegun:
        """Take in a photo, the bytes of an image file, or a part of it in pixels of the upright picture.

        The part begins at `left` and `top` and is `size` wide, and as high as the shape of the model's pictures asks;
        give all three, or none for the central part. The search takes `steps` steps in `space`; where none is given, in
        that of the genome, or in w for a model without one. Of the `look` only the label counts, which a conditional
        model is told.
        """
        model = desk.opened
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/octet-stream" and not kind.startswith("image/"):
            raise HTTPException(415, "send the bytes of an image file, as application/octet-stream or image/*")
        settings = _settings(model, steps, space)
        told = Condition(desk.look(look).drawing.condition.label)
        crop = _crop(left, top, size)
        data = await request.body()
        photos, target = await run_in_threadpool(_take_in, model, data, crop)
        sitting = inverter.begin(photos, settings, told)
        for sentence in photos.enlarged:
            sitting.note(sentence)
        return InversionBegun(id=sitting.id, steps=steps, space=settings.space, target=target)

    @router.get("/{name}")
    def state(name: str) -> InversionState:
        """How far a photo is, and what came of it."""
        sitting = inverter.find(name)
        result = None if sitting.result is None else Inverted(**sitting.result)
        return InversionState(
            id=sitting.id,
            state=sitting.state,
            done=sitting.done,
            total=sitting.total,
            result=result,
            detail=sitting.detail,
        )

    @router.get("/{name}/events", response_class=StreamingResponse, responses=EVENTS)
    def events(name: str) -> StreamingResponse:
        """What happens: `progress`, `note`, and at the end `done`, `cancelled` or `failed`."""
        return stream(inverter.find(name).feed, ends=ENDS)

    @router.delete("/{name}", status_code=204)
    def cancel(name: str) -> Response:
        """Give a photo up."""
        inverter.cancel(name)
        return Response(status_code=204)

    return router


def _settings(model: Model, steps: int, space: Literal["genome", "w", "w+"] | None) -> InversionSettings:
    genes = bool(model.generator.latent.num_genes)
    if space == "genome" and not genes:
        raise UserError("this model's codes are continuous: its spaces are w and w+")
    return InversionSettings(space or ("genome" if genes else "w"), steps=steps, calibrate=0)


def _crop(left: float | None, top: float | None, size: float | None) -> Crop | None:
    if left is None and top is None and size is None:
        return None
    if left is None or top is None or size is None:
        raise UserError("a part of a picture needs left, top and size")
    return Crop(left, top, size)


def _take_in(model: Model, data: bytes, crop: Crop | None) -> tuple[Photos, str]:
    """The target and its picture as a data address."""
    synthesis = model.generator.synthesis
    try:
        with _decoding:
            photos = photo_of(
                data,
                resolution=synthesis.resolution,
                channels=synthesis.image_channels,
                crop=crop,
                most_pixels=UPLOAD_PIXELS,
            )
    except BadImageError as error:
        large = "pixels" in error.reason
        raise HTTPException(413 if large else 415, f"this cannot be taken in: {error}") from error
    shown = base64.b64encode(encode(to_uint8(photos.images)[0])).decode()
    return photos, f"data:image/png;base64,{shown}"
