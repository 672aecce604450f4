"""`/genotype`, `/swap`, `/variants`, `/genes`: single genes, and what they do."""

from __future__ import annotations

from typing import Annotated

import torch
from fastapi import APIRouter, Header, Path, Request, Response

from stylegenes.errors import UserError
from stylegenes.explorer.answers import problems
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.nodes import Unknown
from stylegenes.explorer.schemas import Child
from stylegenes.explorer.tool_schemas import GeneRow, GeneTable, Genotype, GenotypeQuestion, SwapQuestion, Variants
from stylegenes.model import Model
from stylegenes.styles import is_plain

_DIGITS = 5


def genome_routes(desk: Desk) -> APIRouter:
    """Single genes; nothing of it is there for continuous codes."""
    router = APIRouter(tags=["genome"], responses=problems(404, 503))
    tables: dict[str, bytes] = {}

    @router.post("/genotype")
    def genotype(asked: GenotypeQuestion) -> Genotype:
        """A genotype string as variants, or the other way round."""
        model = _with_genome(desk)
        if (asked.code is None) == (asked.variants is None):
            raise UserError("give a code, or variants")
        code = model.spell(asked.variants) if asked.variants is not None else _own(str(asked.code))
        return Genotype(code=code, variants=model.genotype([code], 0).tolist())

    @router.post("/swap")
    def swap(asked: SwapQuestion) -> Child:
        """The genotype with one variant exchanged."""
        model = _with_genome(desk)
        code = model.swap(_own(asked.code), asked.gene, asked.variant)
        return Child(
            code=code, operation="swap", parents=[asked.code], arguments={"gene": asked.gene, "variant": asked.variant}
        )

    @router.get("/variants/{code}/{gene}")
    def variants(code: str, gene: Annotated[int, Path(ge=0, le=2**53)]) -> Variants:
        """The genotype with every variant of one gene."""
        return Variants(codes=_with_genome(desk).variants(_own(code), gene))

    @router.get("/genes/{attribute}", response_model=GeneTable, responses={304: {"description": "Unchanged."}})
    async def genes(
        request: Request, attribute: str, if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        """What every variant of every gene does to an attribute: effect, interval and count."""
        model = _with_genome(desk)
        name = _attribute(model, attribute)
        if name not in tables:
            made = await desk.do(request, lambda: _table(model, name), key=f"g/{name}")
            tables[name] = made.model_dump_json().encode()
        tag = f'"{desk.hash}-{model.statistics.num_draws}-{model.statistics.attributes.index(name)}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if if_none_match == tag:
            return Response(status_code=304, headers=headers)
        return Response(tables[name], media_type="application/json", headers=headers)

    return router


def _with_genome(desk: Desk) -> Model:
    model = desk.opened
    if not model.generator.latent.num_genes:
        raise Unknown("this model's codes are continuous: it has no genes")
    return model


def _own(code: str) -> str:
    if not is_plain(code):
        raise UserError("style vectors and mixtures have no genes; give a genotype string")
    return code.strip()


def _attribute(model: Model, name: str) -> str:
    from stylegenes.analysis.wishes import find_attribute

    try:
        names = model.statistics.attributes
        return names[find_attribute(name, names)]
    except UserError as error:
        raise Unknown(str(error)) from error


def _table(model: Model, attribute: str) -> GeneTable:
    found, genome = model.effects(attribute), model.study.genome
    usage, dead = genome.gene_shares(), genome.dead_variants()
    plain = lambda row: [round(value, _DIGITS) for value in row.tolist()]  # noqa: E731
    one = lambda values, gene: round(float(values[gene]), _DIGITS)  # noqa: E731
    rows = [
        GeneRow(
            gene=gene,
            score=one(found.score, gene),
            explained=one(found.explained, gene),
            q_value=one(found.q_value, gene),
            reliability=one(torch.nan_to_num(found.reliability), gene),
            usage=one(usage, gene),
            dead=dead[gene].nonzero().flatten().tolist(),
            effect=plain(found.effect[gene]),
            low=plain(found.low[gene]),
            high=plain(found.high[gene]),
            count=found.count[gene].long().tolist(),
            shrunk=plain(found.shrunk[gene]),
        )
        for gene in range(genome.num_genes)
    ]
    return GeneTable(
        attribute=found.attribute,
        mean=found.mean,
        draws=found.draws,
        order=found.order,
        acting=found.acting,
        genes=rows,
    )
