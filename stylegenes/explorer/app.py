"""The server: all routes behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from stylegenes.explorer.about import about_routes
from stylegenes.explorer.answers import add_answers
from stylegenes.explorer.attributes import attribute_routes
from stylegenes.explorer.compare import compare_routes
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.directions import direction_routes
from stylegenes.explorer.drawn import drawn_routes
from stylegenes.explorer.genome import genome_routes
from stylegenes.explorer.inversions import inversion_routes
from stylegenes.explorer.page import page_routes, read_page
from stylegenes.explorer.population import population_routes
from stylegenes.explorer.run import run_routes
from stylegenes.explorer.security import Door, Guard
from stylegenes.explorer.sessions import session_routes
from stylegenes.version import __version__

API = "/api/v1"
ROUTES = (
    about_routes,
    drawn_routes,
    population_routes,
    genome_routes,
    attribute_routes,
    direction_routes,
    compare_routes,
    inversion_routes,
    run_routes,
    session_routes,
)


def create_app(desk: Desk, door: Door) -> ASGIApp:
    """The application, which stops the desk's worker when it ends."""
    return Guard(create_api(desk, door), door)


def create_api(desk: Desk, door: Door) -> FastAPI:
    """The application without its guard, which knows its OpenAPI document."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    app = FastAPI(
        title="stylegenes explorer",
        version=__version__,
        description="Breed, edit and read genomes. See docs/explorer.md.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
        redirect_slashes=False,
    )
    app.state.open_to_all = door.token is None
    add_answers(app)
    api = APIRouter(prefix=API)
    for routes in ROUTES:
        api.include_router(routes(desk))
    app.include_router(api)
    app.include_router(page_routes(read_page()))
    return app
