"""Foreign weight files into our networks: which family a network is of, told by its weights, and its conversion."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, Generic, TypeVar

import torch

from stylegenes.discriminators import Discriminator
from stylegenes.errors import UserError, shown
from stylegenes.generator import Generator
from stylegenes.interop import eg3d, fastgan, r3gan, rosinality, stylegan2, stylegan3
from stylegenes.interop.arguments import plain_arguments
from stylegenes.interop.contents import find_network
from stylegenes.interop.names import State, listed
from stylegenes.interop.records import Record, mapping
from stylegenes.interop.safe_pickle import named, read_weights

T = TypeVar("T")


@dataclass(frozen=True)
class Imported:
    """What a file of weights held.

    Attributes:
        generator: in eval mode.
        discriminator: where it was asked for.
    """

    generator: Generator
    discriminator: Discriminator | None


@dataclass(frozen=True)
class Family(Generic[T]):
    """One family of foreign networks.

    Attributes:
        name: what people call it.
        mark: matches the name of a weight that this family alone has.
        convert: makes our network of the record and its state dict.
    """

    name: str
    mark: str
    convert: Callable[[Record, State], T]


def import_weights(path: str | PathLike[str], network: str = "G_ema", *, discriminator: bool = False) -> Imported:
    """The networks of a foreign weight file, in our modules; nothing that the file names is executed.

    Args:
        path: a network pickle of an official PyTorch release, or rosinality's .pt.
        network: which generator of the file.
        discriminator: take its discriminator too.

    Raises:
        UserError: names the file and says in one line what is wrong with it.
        OSError: when it cannot be opened.
    """
    content = read_weights(path)
    with named(path):
        generator = generator_of(find_network(content, network))
        return Imported(generator, discriminator_of(find_network(content, "D")) if discriminator else None)


def generator_of(module: Record) -> Generator:
    """The generator that a record of a module is, in our modules.

    Raises:
        UserError: for a network of no known family (lists them), or one that does not fit its family.
    """
    return _convert(module, GENERATORS, "generator")


def discriminator_of(module: Record) -> Discriminator:
    """The discriminator that a record of a module is, in our modules; see `generator_of`."""
    return _convert(module, DISCRIMINATORS, "discriminator")


def _convert(module: Record, families: Sequence[Family[T]], kind: str) -> T:
    # R3GAN's training code wraps its networks once more.
    state = {key.removeprefix("Model."): tensor for key, tensor in module.state_dict().items()}
    for family in families:
        if any(re.fullmatch(family.mark, key) for key in state):
            try:
                return family.convert(module, state)
            except UserError:
                raise
            except Exception as error:
                # Sizes and arguments of a stranger can trip a constructor anywhere.
                reason = f"{type(error).__name__}: {shown(error, 120)}"
                raise UserError(f"its {kind} does not fit the family {family.name} ({reason})") from error
    raise UserError(
        f"the {kind} ({shown(module.class_name, 60) or 'of no name'}) is of no family that can be read: "
        f"{', '.join(family.name for family in families)}. Its first weights: {listed(list(state), most=3)}"
    )


_G_POSITIONAL = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
_D_POSITIONAL = ("c_dim", "img_resolution", "img_channels")


def _stylegan2(module: Record, state: State) -> Generator:
    kwargs = module.kwargs(*_G_POSITIONAL)
    clamp = _observed(module, "synthesis.b4.conv1", "conv_clamp")
    if "synthesis_kwargs" in kwargs:
        kwargs["synthesis_kwargs"] = {**clamp, **mapping(kwargs["synthesis_kwargs"])}
    else:
        kwargs = {**clamp, **kwargs}
    return stylegan2.generator_from_official(_with_decay(module, kwargs, "official generator"), state)


def _with_decay(module: Record, kwargs: dict[str, Any], owner: str) -> dict[str, Any]:
    """The arguments, checked, and what the mapping network itself says where they leave its decay to the default."""
    inner = {**_observed(module, "mapping", "w_avg_beta"), **mapping(kwargs.get("mapping_kwargs"))}
    return plain_arguments({**kwargs, "mapping_kwargs": inner}, owner=owner)


def _observed(module: Record, path: str, name: str) -> dict[str, Any]:
    """The attribute `name` of a module inside, where it has one that is a number or None."""
    found: Record | None = module
    for part in path.split("."):
        found = None if found is None else found.children().get(part)
    if found is None or name not in found.attributes:
        return {}
    value = found.attributes[name]
    return {name: value} if value is None or isinstance(value, int | float) else {}


def _stylegan2_discriminator(module: Record, state: State) -> Discriminator:
    given = {**_observed(module, "b4.conv", "conv_clamp"), **module.kwargs(*_D_POSITIONAL)}
    return stylegan2.discriminator_from_official(plain_arguments(given, owner="official discriminator"), state)


def _stylegan3(module: Record, state: State) -> Generator:
    kwargs = _with_decay(module, module.kwargs(*_G_POSITIONAL), "official StyleGAN3 generator")
    return stylegan3.generator_from_official(kwargs, state)


def _eg3d(module: Record, state: State) -> Generator:
    owner = "official EG3D generator"
    given = module.kwargs(*_G_POSITIONAL)
    # The attributes are what it was last used with; the arguments are what it was made with.
    options = mapping(module.attributes.get("rendering_kwargs")) or mapping(given.pop("rendering_kwargs", None))
    given = {key: value for key, value in given.items() if key != "rendering_kwargs"}
    inner = module.children().get("backbone", module)
    kwargs = {**_observed(inner, "synthesis.b4.conv1", "conv_clamp"), **given}
    kwargs["mapping_kwargs"] = {**_observed(inner, "mapping", "w_avg_beta"), **mapping(kwargs.get("mapping_kwargs"))}
    rendering = module.attributes.get("neural_rendering_resolution", 64)
    plain = plain_arguments({**kwargs, "rendering_kwargs": options, "img_resolution_raw": rendering}, owner=owner)
    rendering, options = plain.pop("img_resolution_raw"), plain.pop("rendering_kwargs")
    if not isinstance(rendering, int) or not 1 <= rendering <= 1 << 12:
        raise UserError(f"{owner}: it renders at {shown(rendering, 40)} pixels; 1 to 4096 are possible")
    return eg3d.generator_from_official(plain, options, state, rendering_resolution=rendering)


def _dual_discriminator(module: Record, state: State) -> Discriminator:
    owner = "official dual discriminator"
    if "Dummy" in module.class_name:
        raise UserError(f"{owner}: {shown(module.class_name, 60)} fades the rendered picture out and is not known")
    given = {**_observed(module, "b4.conv", "conv_clamp"), **module.kwargs(*_D_POSITIONAL)}
    return eg3d.discriminator_from_official(plain_arguments(given, owner=owner), state)


def _fastgan(module: Record, state: State) -> Generator:
    found = plain_arguments({"img_resolution": module.attribute("img_resolution")}, owner="official FastGAN generator")[
        "img_resolution"
    ]
    if not isinstance(found, int) or found < 8 or found & (found - 1):
        raise UserError("official FastGAN generator: the pickle does not tell its img_resolution")
    return fastgan.generator_from_official(fastgan.arguments_of(state, found), state).eval()


def _projected(module: Record, state: State) -> Discriminator:
    raise UserError(
        "a projected discriminator does not carry over, since its frozen trunk is another network than ours; import "
        "the generator alone, without --discriminator"
    )


def _r3gan(module: Record, state: State) -> Generator:
    return r3gan.generator_from_official(r3gan.arguments_of(state), state).eval()


def _r3gan_discriminator(module: Record, state: State) -> Discriminator:
    return r3gan.discriminator_from_official(r3gan.arguments_of(state), state)


def _rosinality(module: Record, state: State) -> Generator:
    mean = module.attributes.get("latent_avg")
    return rosinality.generator_from_rosinality(state, mean if torch.is_tensor(mean) else None)


def _rosinality_discriminator(module: Record, state: State) -> Discriminator:
    return rosinality.discriminator_from_rosinality(state)


GENERATORS: tuple[Family[Generator], ...] = (
    Family("EG3D", r"backbone\.synthesis\.b4\.const", _eg3d),
    Family("StyleGAN2", r"synthesis\.b4\.const", _stylegan2),
    Family("StyleGAN3 (T and R)", r"synthesis\.L\d+_\d+_\d+\.weight", _stylegan3),
    Family("FastGAN (ProjectedGAN)", r"synthesis\.init\.init\.0\..+", _fastgan),
    Family("R3GAN", r"AggregationLayer\.Layer\.weight", _r3gan),
    Family("StyleGAN2 (rosinality)", r"to_rgb1\.conv\.weight", _rosinality),
)
"""Every family of generators that can be read."""

DISCRIMINATORS: tuple[Family[Discriminator], ...] = (
    Family("EG3D (dual)", r"resample_filter", _dual_discriminator),
    Family("StyleGAN2 (which StyleGAN3 keeps)", r"b4\.fc\.weight", _stylegan2_discriminator),
    Family("ProjectedGAN", r"(.+\.)?mini_discs\..+", _projected),
    Family("R3GAN", r"ExtractionLayer\.Layer\.weight", _r3gan_discriminator),
    Family("StyleGAN2 (rosinality)", r"final_conv\.0\.weight", _rosinality_discriminator),
)
"""Every family of discriminators that is recognized."""
