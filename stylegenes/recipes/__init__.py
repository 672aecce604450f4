"""Recipes: named full configurations, as Python functions that derive from each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stylegenes.errors import UserError
from stylegenes.recipes.eg3d import (
    eg3d_afhq512,
    eg3d_afhq512_genome,
    eg3d_cars128,
    eg3d_cars128_genome,
    eg3d_ffhq512,
    eg3d_ffhq512_128,
    eg3d_ffhq512_genome,
    eg3d_scenes32,
)
from stylegenes.recipes.paper import (
    afhq256,
    afhq256_mapping,
    ffhq256,
    ffhq256_mapping,
    ffhq1024,
    metfaces256,
    metfaces256_mapping,
)
from stylegenes.recipes.projected import projected32, projected256, projected256_genome
from stylegenes.recipes.r3gan import r3gan32, r3gan256, r3gan256_genome
from stylegenes.recipes.stylegan1 import (
    progan32,
    stylegan1_32,
    stylegan1_a,
    stylegan1_b,
    stylegan1_b_mapped,
    stylegan1_c,
    stylegan1_d,
    stylegan1_e,
    stylegan1_f,
    stylegan1_f_genome,
)
from stylegenes.recipes.stylegan3 import (
    stylegan3_r32,
    stylegan3_r_ffhq256,
    stylegan3_r_ffhq256_genome,
    stylegan3_t32,
    stylegan3_t_ffhq256,
    stylegan3_t_ffhq256_genome,
)
from stylegenes.recipes.tiny import (
    avatars64,
    avatars64_mapping,
    claims32,
    claims32_mapping,
    claims32_mapping8,
    claims64,
    claims64_mapping,
    claims64_mapping8,
    quick32,
    small64,
    tiny32,
    tiny32_finish,
    tiny32_mapping,
    tiny32_relativistic,
)
from stylegenes.training.config import RunConfig
from stylegenes.words import did_you_mean

_PAPER = (ffhq256, ffhq256_mapping, ffhq1024, afhq256, afhq256_mapping, metfaces256, metfaces256_mapping)
_STYLEGAN2 = (
    quick32,
    tiny32,
    tiny32_relativistic,
    tiny32_mapping,
    tiny32_finish,
    claims32,
    claims32_mapping,
    claims32_mapping8,
    avatars64,
    avatars64_mapping,
    claims64,
    claims64_mapping,
    claims64_mapping8,
    small64,
    *_PAPER,
)
_PROJECTED = (projected32, projected256, projected256_genome)
_R3GAN = (r3gan32, r3gan256, r3gan256_genome)
_TABLE_1 = (stylegan1_a, stylegan1_b, stylegan1_c, stylegan1_d, stylegan1_e, stylegan1_f)
_STYLEGAN1 = (progan32, stylegan1_32, *_TABLE_1, stylegan1_b_mapped, stylegan1_f_genome)
_STYLEGAN3_LARGE = (
    stylegan3_t_ffhq256,
    stylegan3_t_ffhq256_genome,
    stylegan3_r_ffhq256,
    stylegan3_r_ffhq256_genome,
)
_STYLEGAN3 = (stylegan3_t32, stylegan3_r32, *_STYLEGAN3_LARGE)
_EG3D_LARGE = (eg3d_ffhq512, eg3d_ffhq512_128, eg3d_afhq512, eg3d_cars128)
_EG3D = (eg3d_scenes32, *_EG3D_LARGE, eg3d_ffhq512_genome, eg3d_afhq512_genome, eg3d_cars128_genome)
_FUNCTIONS = (*_STYLEGAN2, *_PROJECTED, *_R3GAN, *_STYLEGAN1, *_STYLEGAN3, *_EG3D)
RECIPES: dict[str, Callable[[], RunConfig]] = {f.__name__.replace("_", "-"): f for f in _FUNCTIONS}
"""Every recipe by name."""


@dataclass(frozen=True)
class Suggestion:
    """A recipe chosen for a user who named none, and why."""

    name: str
    why: str


def recipe(name: str) -> RunConfig:
    """The configuration of the recipe `name`.

    Raises:
        UserError: for an unknown name; lists the known ones.
    """
    if name not in RECIPES:
        raise UserError(f"unknown recipe {name!r}{did_you_mean(name, RECIPES, 'recipes')}")
    return RECIPES[name]()


def choose_recipe(device_type: str, resolution: int | None = None) -> Suggestion:
    """A recipe that makes sense on a kind of device (`cuda`, `mps`, `cpu`) at a longer side in pixels, if any."""
    if device_type == "cpu" and (resolution or 32) <= 32:
        return Suggestion("tiny32", "no GPU was found, and 32 px shows faces within minutes on a CPU")
    if device_type == "cpu":
        return Suggestion("small64", f"no GPU was found; {resolution} px needs more than tiny32, and this is the next")
    if (resolution or 64) <= 64:
        return Suggestion("small64", "a GPU trains 64 px in minutes to hours; name ffhq256 or more for larger pictures")
    if resolution is not None and resolution > 256:
        return Suggestion("ffhq1024", f"{resolution} px is nearest to the paper's settings at 1024")
    return Suggestion("ffhq256", f"{resolution} px is nearest to the paper's settings at 256")
