"""`/info` and `/status`: what is explored, and which parts of the page it can serve."""

from __future__ import annotations

from fastapi import APIRouter

from stylegenes.drawing import BANDS, band_layers
from stylegenes.errors import UserError
from stylegenes.explorer.answers import problems
from stylegenes.explorer.desk import HASH, Desk
from stylegenes.explorer.schemas import MOST_CHILDREN, MOST_CODES, Info, Limits, ModelInfo, Panel, Status
from stylegenes.explorer.security import UPLOAD_BYTES, UPLOAD_PIXELS
from stylegenes.model import Model
from stylegenes.version import __version__


def about_routes(desk: Desk) -> APIRouter:
    """The explorer about itself."""
    router = APIRouter(tags=["about"], responses=problems())
    kept: list[Info] = []

    @router.get("/info")
    def info() -> Info:
        """The model, and which parts of the page it can serve."""
        if not kept:
            kept.append(describe(desk))
        return kept[0]

    @router.get("/status")
    def status() -> Status:
        """How busy the worker is."""
        load = desk.worker.load
        return Status(
            waiting=load.waiting, drawn=load.done, dropped=load.dropped, latency_ms=round(1000 * load.latency, 2)
        )

    return router


def describe(desk: Desk) -> Info:
    """What `/info` says."""
    model = desk.model
    limits = Limits(upload_bytes=UPLOAD_BYTES, upload_pixels=UPLOAD_PIXELS, codes=MOST_CODES, children=MOST_CHILDREN)
    return Info(
        version=__version__,
        device="" if model is None else str(model.device),
        model=None if model is None else _about(model),
        run=desk.run is not None,
        panels=panels(model, run=desk.run is not None),
        limits=limits,
    )


def panels(model: Model | None, *, run: bool) -> list[Panel]:
    """Every part of the page, with the reason where it is absent."""
    no_run = "" if run else "this is a model and no training run; stylegenes explore RUN_FOLDER shows one"
    if model is None:
        none = "this run has no snapshot yet"
        names = ("population", "tree", "genome", "attributes", "directions", "invert", "compare")
        return [*(Panel(name=name, available=False, reason=none) for name in names), _panel("runs", no_run)]
    genome = "" if model.generator.latent.num_genes else "this model's codes are continuous: it has no genes"
    judged = _missing(lambda: model.classifier)
    surveyed = genome or _missing(lambda: model.statistics)
    return [
        _panel("population", ""),
        _panel("tree", ""),
        _panel("genome", genome),
        _panel("attributes", surveyed or judged),
        _panel("directions", ""),
        _panel("invert", ""),
        _panel("compare", ""),
        _panel("runs", no_run),
    ]


def _panel(name: str, reason: str) -> Panel:
    return Panel(name=name, available=not reason, reason=reason)


def _missing(find: object) -> str:
    assert callable(find)
    try:
        find()
    except UserError as error:
        return str(error)
    return ""


def _about(model: Model) -> ModelInfo:
    generator, latent, synthesis = model.generator, model.generator.latent, model.generator.synthesis
    genes = bool(latent.num_genes)
    attributes: list[str] = []
    if genes and model.study.is_surveyed and not _missing(lambda: model.statistics):
        attributes = list(model.statistics.attributes)
    elif not genes and not _missing(lambda: model.classifier):
        attributes = list(model.classifier.attributes)
    label = model.condition.label
    columns = [] if label is None else [f"{i}:{value:g}" for i, value in enumerate(label[0].tolist()) if value]
    return ModelInfo(
        name=model.card.name,
        reference=str(model.reference),
        hash=model.weights[:HASH],
        weights=model.weights,
        kind="genome" if genes else "continuous",
        height=synthesis.size.height,
        width=synthesis.size.width,
        channels=synthesis.image_channels,
        num_ws=synthesis.num_ws,
        w_dim=synthesis.w_dim,
        num_genes=latent.num_genes,
        num_variants=latent.num_variants,
        bands=_bands(model),
        noise=True,
        three_d=not _missing(lambda: synthesis.camera_at(0.0, 0.0)),
        label_names=list(model.label_names),
        label_dim=generator.label_dim,
        label=f"label={';'.join(columns)}" if columns else "",
        attributes=attributes,
        string_format=latent.string_format(),
        dead_variants=[row.nonzero().flatten().tolist() for row in model.study.genome.dead_variants()] if genes else [],
        gene_usage=[round(share, 6) for share in model.study.genome.gene_shares().tolist()] if genes else [],
        card=_card(model),
    )


def _bands(model: Model) -> dict[str, str]:
    try:
        layers = {band: band_layers(model.generator, band).nonzero().flatten().tolist() for band in BANDS}
    except UserError:
        return {}
    return {band: "+".join(map(str, numbers)) for band, numbers in layers.items()}


def _card(model: Model) -> str:
    path = model.path / "card.md"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
