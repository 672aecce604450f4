"""`/judge`, `/edit`, `/move`: what the classifier sees, and pictures changed by genes or along directions."""

from __future__ import annotations

from dataclasses import replace

import torch
from fastapi import APIRouter, Request

from stylegenes.analysis.compass import Move
from stylegenes.analysis.editing import Strength, editor, evaluate_edit
from stylegenes.analysis.wishes import parse_where
from stylegenes.errors import UserError
from stylegenes.explorer.answers import problems
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.schemas import Child, CodesQuestion
from stylegenes.explorer.tool_schemas import AttributeChange, Edited, EditQuestion, JudgeAnswer, MoveQuestion
from stylegenes.notation import parse_hold
from stylegenes.styles import is_plain

_DIGITS = 5


def attribute_routes(desk: Desk) -> APIRouter:
    """What the classifier sees, and edits."""
    router = APIRouter(tags=["attributes"], responses=problems(404, 503))

    @router.post("/judge")
    async def judge(request: Request, asked: CodesQuestion) -> JudgeAnswer:
        """The probability of every attribute in pictures of any kind of code."""
        drawing = desk.look(asked.look).drawing

        def work() -> JudgeAnswer:
            found = desk.opened.judged(asked.codes, drawing)
            rows = [[round(value, _DIGITS) for value in row] for row in found.tolist()]
            return JudgeAnswer(attributes=list(desk.opened.classifier.attributes), probabilities=rows)

        return await desk.do(request, work)

    @router.post("/edit")
    async def edit(request: Request, asked: EditQuestion) -> Edited:
        """Change attributes by few genes, and say what else changed."""
        return await desk.do(request, lambda: _edit(desk, asked))

    @router.post("/move")
    async def move(request: Request, asked: MoveQuestion) -> Edited:
        """Move a picture along directions, and say what changed."""
        return await desk.do(request, lambda: _move(desk, asked))

    return router


def _edit(desk: Desk, asked: EditQuestion) -> Edited:
    model = desk.opened
    if not is_plain(asked.code):
        raise UserError("style vectors and mixtures have no genes to edit; move them along directions")
    start, names = model.genotype([asked.code], 0), model.statistics.attributes
    wishes, hold = parse_where(asked.wishes, names), parse_hold(asked.hold, names)
    labeler = replace(model.study.labeler, drawing=desk.look(asked.look).drawing)
    make = editor(labeler, model.study.report, Strength(asked.genes, asked.rank), hold, asked.method)
    made = make(start, wishes)
    report = evaluate_edit(labeler, made, wishes, model.study.perceptual)
    (after,) = model.study.genome.to_strings(made.after[None])
    arguments = {"wishes": asked.wishes, "hold": asked.hold, "genes": asked.genes, "rank": asked.rank}
    child = Child(code=after, operation="edit", parents=[asked.code], arguments={**arguments, "method": asked.method})
    rows = [
        AttributeChange(
            name=name,
            before=round(float(report.before[a]), _DIGITS),
            after=round(float(report.after[a]), _DIGITS),
            requested=round(float(report.predicted[a]), _DIGITS),
            achieved=round(float(report.achieved[a]), _DIGITS),
            wanted=a in report.wanted,
            held=a in hold.attributes,
        )
        for a, name in enumerate(report.attributes)
    ]
    judged_by = model.study.perceptual.name
    return Edited(
        child=child,
        genes=made.genes,
        attributes=rows,
        side_effect=report.side_effect,
        distance=report.distance,
        judge=judged_by,
    )


@torch.no_grad()
def _move(desk: Desk, asked: MoveQuestion) -> Edited:
    model, drawing = desk.opened, desk.look(asked.look).drawing
    moves = [Move(one.name, one.strength, one.layers) for one in asked.moves]
    code = model.moved(asked.code, moves, asked.hold)
    images = model.images([asked.code, code], drawing)
    perceptual = model.study.perceptual
    wanted = {one.name for one in asked.moves}
    rows = _judged(desk, images, wanted, set(asked.hold))
    others = [abs(row.achieved) for row in rows if not row.wanted]
    arguments = {"moves": [vars(move) for move in moves], "hold": asked.hold}
    return Edited(
        child=Child(code=code, operation="move", parents=[asked.code], arguments=arguments),
        genes=[],
        attributes=rows,
        side_effect=sum(others) / len(others) if others else 0.0,
        distance=float(perceptual(images[:1], images[1:])),
        judge=perceptual.name,
    )


def _judged(desk: Desk, images: torch.Tensor, wanted: set[str], held: set[str]) -> list[AttributeChange]:
    """Every attribute before and after a move, where there is a classifier; nobody requested numbers of a move."""
    try:
        classifier = desk.opened.classifier
    except UserError:
        return []
    before, after = classifier(images).double().cpu().round(decimals=_DIGITS).tolist()
    return [
        AttributeChange(
            name=name, before=b, after=a, requested=0.0, achieved=a - b, wanted=name in wanted, held=name in held
        )
        for name, b, a in zip(classifier.attributes, before, after, strict=True)
    ]
