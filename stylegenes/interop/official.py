"""Which family an official network is of, told by the names of its weights, and its conversion."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from stylegenes.discriminators import Discriminator
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop import fastgan, r3gan, stylegan2, stylegan3
from stylegenes.interop.names import State
from stylegenes.interop.safe_pickle import PersistentModule

T = TypeVar("T")


@dataclass(frozen=True)
class Family(Generic[T]):
    """One family of official networks.

    Attributes:
        name: what people call it.
        mark: matches the name of a weight that this family alone has.
        convert: makes our network of the pickled module and its state dict.
    """

    name: str
    mark: str
    convert: Callable[[PersistentModule, State], T]


def generator_of(module: PersistentModule) -> Generator:
    """The generator that a pickled module is, in our modules.

    Raises:
        UserError: for a network of no known family (lists them), or one that does not fit its family.
    """
    return _convert(module, GENERATORS, "generator")


def discriminator_of(module: PersistentModule) -> Discriminator:
    """The discriminator that a pickled module is, in our modules; see `generator_of`."""
    return _convert(module, DISCRIMINATORS, "discriminator")


def _convert(module: PersistentModule, families: Sequence[Family[T]], kind: str) -> T:
    # R3GAN's training code wraps its networks once more.
    state = {key.removeprefix("Model."): tensor for key, tensor in module.state_dict().items()}
    for family in families:
        if any(re.fullmatch(family.mark, key) for key in state):
            return family.convert(module, state)
    first = ", ".join(list(state)[:3]) or "none at all"
    raise UserError(
        f"the {kind} ({module.class_name or 'of no name'}) is of no family that can be read: "
        f"{', '.join(family.name for family in families)}. Its first weights: {first}"
    )


_G_POSITIONAL = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
_D_POSITIONAL = ("c_dim", "img_resolution", "img_channels")


def _stylegan2(module: PersistentModule, state: State) -> Generator:
    return stylegan2.generator_from_official(module.kwargs(*_G_POSITIONAL), state)


def _stylegan2_discriminator(module: PersistentModule, state: State) -> Discriminator:
    return stylegan2.discriminator_from_official(module.kwargs(*_D_POSITIONAL), state)


def _stylegan3(module: PersistentModule, state: State) -> Generator:
    return stylegan3.generator_from_official(module.kwargs(*_G_POSITIONAL), state)


def _fastgan(module: PersistentModule, state: State) -> Generator:
    resolution = module.attribute("img_resolution")
    if not isinstance(resolution, int):
        raise UserError("official FastGAN generator: the pickle does not tell its img_resolution")
    return fastgan.generator_from_official(fastgan.arguments_of(state, resolution), state).eval()


def _projected(module: PersistentModule, state: State) -> Discriminator:
    raise UserError(
        "a projected discriminator does not carry over, since its frozen trunk is another network than ours; import "
        "the generator alone, without --discriminator"
    )


def _r3gan(module: PersistentModule, state: State) -> Generator:
    return r3gan.generator_from_official(r3gan.arguments_of(state), state).eval()


def _r3gan_discriminator(module: PersistentModule, state: State) -> Discriminator:
    return r3gan.discriminator_from_official(r3gan.arguments_of(state), state)


GENERATORS: tuple[Family[Generator], ...] = (
    Family("StyleGAN2", r"synthesis\.b4\.const", _stylegan2),
    Family("StyleGAN3 (T and R)", r"synthesis\.L\d+_\d+_\d+\.weight", _stylegan3),
    Family("FastGAN (ProjectedGAN)", r"synthesis\.init\.init\.0\..+", _fastgan),
    Family("R3GAN", r"AggregationLayer\.Layer\.weight", _r3gan),
)
"""Every family of generators that can be read."""

DISCRIMINATORS: tuple[Family[Discriminator], ...] = (
    Family("StyleGAN2 (which StyleGAN3 keeps)", r"b4\.fc\.weight", _stylegan2_discriminator),
    Family("ProjectedGAN", r"(.+\.)?mini_discs\..+", _projected),
    Family("R3GAN", r"ExtractionLayer\.Layer\.weight", _r3gan_discriminator),
)
"""Every family of discriminators that is recognized."""
