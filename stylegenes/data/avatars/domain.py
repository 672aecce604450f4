"""What a domain of avatars is: factors drawn from latent causes, and attributes defined by what is drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

NOTHING = ""
"""The option of a factor that is not drawn at all."""

_ROWS, _COLUMNS = 32, 8
_JITTER = 0.025


@dataclass(frozen=True)
class Causes:
    """What the factors depend on. None of them is drawn itself: they show only in the factors they move.

    Attributes:
        male: moves hair styles, facial hair and clothes.
        old: moves hair color, hair loss and glasses.
        happy: moves mouth, eyes and eyebrows.
        tone: darkness of the skin, uniform in [0, 1); moves hair color and texture.
    """

    male: bool
    old: bool
    happy: bool
    tone: float

    @classmethod
    def of(cls, uniforms: Sequence[float]) -> Causes:
        """From four numbers in [0, 1)."""
        male, old, happy, tone = uniforms
        return cls(male=male < 0.42, old=old < 0.27, happy=happy < 0.5, tone=tone)


Weights = dict[str, float]
Drawn = Mapping[str, str]
"""Option of every factor by the factor's name; NOTHING where it is not drawn."""


@dataclass(frozen=True)
class Domain:
    """A style with its factors and attributes.

    Attributes:
        style: name of the DiceBear style.
        license: license and author of the artwork.
        components: by component of the style, the weights of its variants given the causes.
        colors: by color option of the style (`hairColor`), the weights of its hexadecimal values given the causes.
        attributes: by name, whether the drawn factors show it. `Male` and `Young` come first, from the causes.
        settle: repairs combinations that would hide or contradict each other, before anything is drawn.
        placement: scale and shift of the picture: the crop.
    """

    style: str
    license: str
    components: Mapping[str, Callable[[Causes], Weights]]
    colors: Mapping[str, Callable[[Causes], Weights]]
    attributes: Mapping[str, Callable[[Drawn], bool]]
    settle: Callable[[Drawn], Drawn]
    placement: Mapping[str, float]

    @property
    def attribute_names(self) -> list[str]:
        """Names of all attributes, in the order of the label columns."""
        return ["Male", "Young", *self.attributes]

    def sample(self, seed: int, index: int, *, independent: bool = False) -> Avatar:
        """Avatar number `index` of the stream `seed`; it depends on nothing else.

        Args:
            seed: which stream, in [0, 2^64).
            index: which avatar.
            independent: give every factor causes of its own: same frequencies, no correlations. `Male` and `Young`
                are then fair to nobody: labels that nothing in the picture shows.
        """
        uniforms = _uniforms(seed, index)
        shared = Causes.of(uniforms[0][4:])
        drawn, palette = {}, {}
        for row, (name, weigh) in zip(uniforms[1:], {**self.components, **self.colors}.items(), strict=False):
            drawn[name] = _choose(weigh(Causes.of(row[4:]) if independent else shared), row[0])
            if name in self.colors:
                palette[name] = row[1:4]
        drawn = self.settle(drawn)
        colors = {name: _jitter(drawn[name], shift) for name, shift in palette.items()}
        return Avatar(causes=shared, drawn=drawn, colors=colors)

    def label(self, avatar: Avatar) -> np.ndarray:
        """The attributes of an avatar, float32 [A] of zeros and ones."""
        shown = [test(avatar.drawn) for test in self.attributes.values()]
        return np.array([avatar.causes.male, not avatar.causes.old, *shown], np.float32)

    def options(self, avatar: Avatar, size: int) -> dict[str, object]:
        """Options for DiceBear. Every variant, probability and color is set, so its own seed decides nothing."""
        options: dict[str, object] = {"seed": "fixed", "size": size, **self.placement}
        for name in self.components:
            variant = avatar.drawn[name]
            options[f"{name}Probability"] = 0 if variant == NOTHING else 100
            if variant != NOTHING:
                options[f"{name}Variant"] = [variant]
        return options | {name: [value] for name, value in avatar.colors.items()}


@dataclass(frozen=True)
class Avatar:
    """One sampled avatar.

    Attributes:
        causes: the shared latent causes.
        drawn: the option of every factor, colors before their jitter.
        colors: the colors as drawn, hexadecimal.
    """

    causes: Causes
    drawn: Drawn
    colors: Mapping[str, str]


def _uniforms(seed: int, index: int) -> list[list[float]]:
    """Numbers in [0, 1) for one avatar: row 0 for the shared causes, then a row for each factor."""
    raw = np.random.Philox(key=np.array([seed, index], np.uint64)).random_raw(_ROWS * _COLUMNS)
    return ((raw >> np.uint64(11)) * 2.0**-53).reshape(_ROWS, _COLUMNS).tolist()


def _choose(weights: Weights, uniform: float) -> str:
    """The option at quantile `uniform` of the normalized weights."""
    edges = list(accumulate(weights.values()))
    return list(weights)[min(bisect_right(edges, uniform * edges[-1]), len(edges) - 1)]


def _jitter(color: str, uniforms: Sequence[float]) -> str:
    """A color moved by up to 0.025 of the range in each channel."""
    channels = (int(color[i : i + 2], 16) for i in (0, 2, 4))
    moved = (round(c + (2 * u - 1) * _JITTER * 255) for c, u in zip(channels, uniforms, strict=True))
    return "".join(f"{min(max(channel, 0), 255):02x}" for channel in moved)


def spread(total: float, *options: str) -> Weights:
    """`total` weight shared evenly among options."""
    return dict.fromkeys(options, total / len(options))


def one_of(factor: str, *options: str) -> Callable[[Drawn], bool]:
    """The test that a factor shows one of the options."""
    return lambda drawn: drawn[factor] in options
