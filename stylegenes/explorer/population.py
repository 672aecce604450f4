"""`/dice`, `/mutate`, `/breed`, `/diversity`: new populations. The same request has the same answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

from fastapi import APIRouter, Request

from stylegenes.analysis.population import Crossing, Diversity
from stylegenes.explorer.answers import problems
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.schemas import (
    BreedQuestion,
    Child,
    Children,
    CodesQuestion,
    DiceQuestion,
    DiversityAnswer,
    MutateQuestion,
)
from stylegenes.styles import check_texts


def population_routes(desk: Desk) -> APIRouter:
    """New populations."""
    router = APIRouter(tags=["population"], responses=problems(404, 503))

    @router.post("/dice")
    async def dice(request: Request, asked: DiceQuestion) -> Children:
        """New pictures: of the seeds from `seed` on, or by wish."""
        return await desk.do(request, lambda: _dice(desk, asked, _seed(asked.seed)))

    @router.post("/mutate")
    async def mutate(request: Request, asked: MutateQuestion) -> Children:
        """Children of one picture."""
        model, seed = desk.opened, _seed(asked.seed)

        def work() -> Children:
            arguments = {"rate": asked.rate, "locked": asked.locked, "seed": seed}
            look = desk.look(asked.look).drawing
            make = partial(
                model.mutants, asked.code, asked.count, rate=asked.rate, locked=asked.locked, seed=seed, drawing=look
            )
            return _family(desk, "mutate", [asked.code], make, arguments, asked)

        return await desk.do(request, work)

    @router.post("/breed")
    async def breed(request: Request, asked: BreedQuestion) -> Children:
        """Children of two pictures."""
        model, seed = desk.opened, _seed(asked.seed)
        how = Crossing(asked.cross, asked.genes, asked.share, asked.rate, asked.locked)

        def work() -> Children:
            look = desk.look(asked.look).drawing
            make = partial(model.children, asked.parents, asked.count, how, seed, look)
            return _family(desk, "breed", asked.parents, make, {**asdict(how), "seed": seed}, asked)

        return await desk.do(request, work)

    @router.post("/diversity")
    async def diversity(request: Request, asked: CodesQuestion) -> DiversityAnswer:
        """How different pictures are, and their genes."""
        look = desk.look(asked.look).drawing
        return await desk.do(request, lambda: _told(desk.opened.diversity(asked.codes, look)))

    return router


def _seed(given: int | None) -> int:
    return secrets.randbelow(2**31) if given is None else given


def _dice(desk: Desk, asked: DiceQuestion, seed: int) -> Children:
    model, look = desk.opened, desk.look(asked.look).drawing
    seeds = range(seed, seed + asked.count)
    notes: list[str] = []
    if asked.where.strip():
        codes, sentence = model.study.wished(asked.where, asked.temperature, list(seeds), look)
        strings, notes = model.generator.latent.to_strings(codes), [sentence]
        more = {"where": asked.where, "temperature": asked.temperature}
    else:
        strings, more = model.choose(seeds=list(seeds)).strings, {}
    children = [
        Child(code=code, operation="dice", arguments={"seed": one, **more})
        for code, one in zip(strings, seeds, strict=True)
    ]
    found = _told(model.diversity(strings, look)) if asked.diversity else None
    return Children(children=children, seed=seed, notes=notes, diversity=found)


def _family(
    desk: Desk,
    operation: str,
    parents: Sequence[str],
    make: Callable[[], list[str]],
    arguments: dict[str, object],
    asked: MutateQuestion | BreedQuestion,
) -> Children:
    model = desk.opened
    check_texts(model.generator, parents)
    codes = make()
    children = [Child(code=code, operation=operation, parents=list(parents), arguments=arguments) for code in codes]
    found = _told(model.diversity(codes, desk.look(asked.look).drawing)) if asked.diversity else None
    seed = arguments["seed"]
    assert isinstance(seed, int)
    return Children(children=children, seed=seed, diversity=found)


def _told(found: Diversity) -> DiversityAnswer:
    return DiversityAnswer(**asdict(found))
