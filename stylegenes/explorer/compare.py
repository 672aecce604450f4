"""`/mix`, `/between`, `/files`, `/lines`: pictures beside one another, and what one takes home."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from stylegenes.drawing import BANDS
from stylegenes.errors import UserError
from stylegenes.explorer.answers import problems
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.looks import Shown
from stylegenes.explorer.schemas import CodesQuestion
from stylegenes.explorer.tool_schemas import BetweenQuestion, FilesQuestion, Lines, MixAnswer, MixQuestion, Variants
from stylegenes.model import Model
from stylegenes.sheets import Sheet
from stylegenes.styles import check_texts
from stylegenes.words import command

_KINDS = {"png": "image/png", "webp": "image/webp", "gif": "image/gif"}
_MOST_PICTURES, _MOST_PIXELS = 2000, 200_000_000
"""In one file."""
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in _KINDS.values()}, "description": "The file, with the codes inside."}
}


def compare_routes(desk: Desk) -> APIRouter:
    """Pictures beside one another."""
    router = APIRouter(tags=["compare"], responses=problems(404, 503))

    @router.post("/mix")
    def mix(asked: MixQuestion) -> MixAnswer:
        """Style mixing: each row's code with a band of each column's."""
        model = desk.opened
        check_texts(model.generator, [*asked.rows, *asked.columns])
        cells = model.mixtures(asked.rows, asked.columns, asked.band.replace("+", ","))
        check_texts(model.generator, [cell for row in cells for cell in row])
        return MixAnswer(cells=cells)

    @router.post("/between")
    def between(asked: BetweenQuestion) -> Variants:
        """Codes on the way from one picture to another, both ends included."""
        model = desk.opened
        codes = model.way(asked.start, asked.end, asked.steps)
        check_texts(model.generator, codes)
        return Variants(codes=codes)

    @router.post("/files", response_class=Response, responses=_FILE)
    async def files(request: Request, asked: FilesQuestion) -> Response:
        """A sheet, a grid of mixtures or a way as a file that carries its codes."""
        shown = desk.look(asked.look)
        content = await desk.do(request, lambda: _file(desk, asked, shown))
        headers = {"Content-Disposition": f'attachment; filename="{asked.kind}.{asked.format}"'}
        return Response(content, media_type=_KINDS[asked.format], headers=headers)

    @router.post("/lines")
    def lines(asked: CodesQuestion) -> Lines:
        """The lines of Python and of the command line that draw the same."""
        check_texts(desk.opened.generator, asked.codes)
        return _lines(desk, asked.codes, desk.look(asked.look))

    return router


def _file(desk: Desk, asked: FilesQuestion, shown: Shown) -> bytes:
    model, moving = desk.opened, asked.moving or asked.format == "gif"
    _check_size(model, asked)
    if moving and asked.format == "png":
        raise UserError("a .png does not move; ask for gif or webp")
    choice = replace(model.chosen(asked.codes, shown.drawing), origin=shown.origin(model))
    if asked.kind == "mix":
        sheet = choice.mixing(asked.band)
    elif asked.kind == "way":
        sheet = choice.interpolation(asked.steps, moving=moving)
    else:
        sheet = _captioned(choice.samples(), asked)
    with tempfile.TemporaryDirectory(prefix="stylegenes-") as folder:
        return sheet.save(Path(folder) / f"file.{asked.format}", moving=moving).read_bytes()


def _check_size(model: Model, asked: FilesQuestion) -> None:
    """See that a file stays within what is drawn for one request.

    Raises:
        UserError: says how many pictures there would be, and how many may be.
    """
    count, size = _count(asked), model.generator.synthesis.size
    most = max(1, min(_MOST_PICTURES, _MOST_PIXELS // (size.height * size.width)))
    if count > most:
        raise UserError(f"that would be {count:,} pictures; at most {most:,} of {size.width}x{size.height} make a file")


def _count(asked: FilesQuestion) -> int:
    """How many pictures there will be."""
    codes = len(asked.codes)
    match asked.kind:
        case "way":
            return codes * (asked.steps + 1)
        case "mix":
            bands = len(BANDS) if asked.band == "all" else 1
            return bands * ((codes + 1) // 2 + 1) * (codes // 2 + 1)
    return codes


def _captioned(sheet: Sheet, asked: FilesQuestion) -> Sheet:
    if asked.captions is not None and len(asked.captions) != len(asked.codes):
        raise UserError(f"{len(asked.captions)} captions were given for {len(asked.codes)} codes")
    return replace(sheet, captions=asked.captions, columns=asked.columns)


def _lines(desk: Desk, codes: list[str], shown: Shown) -> Lines:
    model = desk.opened
    origin = shown.origin(model)
    options = {"psi": origin.psi} if origin.psi != "1" else {}
    options |= {"noise": origin.noise} if origin.noise != "const" else {}
    label = {"label": ",".join(origin.labels)} if origin.labels else {}
    view = {key: int(angle) if angle.is_integer() else angle for key, angle in shown.view.items()}
    flags = [f"--{key}={value}" for key, value in {**options, **label, **view}.items()]
    cli = command("sample", model.reference, f"--codes={','.join(codes)}", *flags)
    opened = ", ".join([repr(str(model.reference)), *(f"{key}={value!r}" for key, value in label.items())])
    given = {**options, "view": view} if view else options
    drawn = ", ".join([repr(codes if len(codes) > 1 else codes[0]), *(f"{k}={v!r}" for k, v in given.items())])
    return Lines(python=f"stylegenes.open({opened}).draw({drawn})", cli=cli)
