"""Pixel Art: faces of 16 x 16 blocks. Artwork by DiceBear, CC0."""

from __future__ import annotations

from stylegenes.data.avatars.domain import NOTHING, Causes, Domain, Weights, one_of, spread


def _numbered(prefix: str, last: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{number:02d}" for number in range(1, last + 1))


_LONG, _SHORT = _numbered("long", 21), _numbered("short", 24)
_HAPPY, _SAD = _numbered("happy", 13), _numbered("sad", 10)
_CLEAR, _SHADES = _numbered("light", 7), _numbered("dark", 7)
_HATS = _numbered("variant", 10)
_PALE, _MIDDLE, _DARK = ("ffdbac", "f5cfa0"), ("eac393", "e0b687", "cb9e6e"), ("b68655", "a26d3d", "8d5524")
_BLOND, _BROWN, _BLACK = ("cab188", "a78961"), ("603a14", "83623b", "611c17", "603015", "612616"), "28150a"
_DYED = ("009bbd", "bd1700", "91cb15")


def _skin(c: Causes) -> Weights:
    if c.tone < 0.6:
        return {**spread(0.7, *_PALE), **spread(0.3, *_MIDDLE)}
    return {**spread(0.3, *_MIDDLE), **spread(0.7, *_DARK)}


def _hair_color(c: Causes) -> Weights:
    dyed = spread(0.01 if c.old else 0.08, *_DYED)
    if c.tone >= 0.6:
        return {_BLACK: 0.65, **spread(0.27, *_BROWN), **spread(0.02, *_BLOND), **dyed}
    return {_BLACK: 0.2, **spread(0.4, *_BROWN), **spread(0.32, *_BLOND), **dyed}


def _hair(c: Causes) -> Weights:
    bald = {NOTHING: (0.3 if c.old else 0.04) if c.male else 0.0}
    return {**spread(0.06 if c.male else 0.88, *_LONG), **spread(0.9 if c.male else 0.12, *_SHORT), **bald}


def _mouth(c: Causes) -> Weights:
    return {**spread(0.9 if c.happy else 0.12, *_HAPPY), **spread(0.1 if c.happy else 0.88, *_SAD)}


def _glasses(c: Causes) -> Weights:
    return {NOTHING: 0.75, **spread(0.35 if c.old else 0.12, *_CLEAR), **spread(0.03 if c.old else 0.1, *_SHADES)}


PIXEL_ART = Domain(
    style="pixel-art",
    license="Pixel Art by DiceBear, CC0 1.0 (https://www.dicebear.com)",
    components={
        "hair": _hair,
        # The artwork masks beards by the brightness of the hair, so that dark ones vanish: none is drawn.
        "beard": lambda _: {NOTHING: 1.0},
        "eyes": lambda _: spread(1, *_numbered("variant", 12)),
        "mouth": _mouth,
        "glasses": _glasses,
        "hat": lambda c: {NOTHING: 0.92, **spread(0.1 if c.male else 0.05, *_HATS)},
        "clothes": lambda _: spread(1, *_numbered("variant", 23)),
        "accessories": lambda c: {NOTHING: 0.98 if c.male else 0.6, **spread(0.2, *_numbered("variant", 4))},
    },
    colors={
        "skinColor": _skin,
        "hairColor": _hair_color,
        "mouthColor": lambda _: spread(1, "d29985", "c98276", "e35d6a", "de0f0d"),
        "eyesColor": lambda _: spread(1, "76778b", "697b94", "647b90", "5b7c8b", "588387", "876658"),
        "glassesColor": lambda _: spread(1, "4b4b4b", "323232", "191919", "43677d", "5f705c", "a04b5d"),
        "hatColor": lambda _: spread(1, "2e1e05", "2663a3", "989789", "3d8a6b", "cc6192", "614f8a", "a62116"),
        "clothingColor": lambda _: spread(1, "5bc0de", "03396c", "88d8b0", "00b159", "ff6f69", "ae0001", "ffd969"),
        "accessoriesColor": lambda _: spread(1, "daa520", "ffd700", "d3d3d3"),
        "backgroundColor": lambda _: spread(1, "b6e3f4", "c0aede", "d1d4f9", "ffd5dc", "ffdfbf", "b5d5b0"),
    },
    attributes={
        "Pale_Skin": one_of("skinColor", *_PALE),
        "Dark_Skin": one_of("skinColor", *_DARK),
        "Black_Hair": lambda drawn: drawn["hair"] != NOTHING and drawn["hairColor"] == _BLACK,
        "Brown_Hair": lambda drawn: drawn["hair"] != NOTHING and drawn["hairColor"] in _BROWN,
        "Blond_Hair": lambda drawn: drawn["hair"] != NOTHING and drawn["hairColor"] in _BLOND,
        "Dyed_Hair": lambda drawn: drawn["hair"] != NOTHING and drawn["hairColor"] in _DYED,
        "Bald": lambda drawn: drawn["hair"] == NOTHING and drawn["hat"] == NOTHING,
        "Long_Hair": one_of("hair", *_LONG),
        "Short_Hair": one_of("hair", *_SHORT),
        "Eyeglasses": one_of("glasses", *_CLEAR),
        "Sunglasses": one_of("glasses", *_SHADES),
        "Wearing_Hat": one_of("hat", *_HATS),
        "Wearing_Earrings": one_of("accessories", *_numbered("variant", 4)),
        "Smiling": one_of("mouth", *_HAPPY),
    },
    settle=dict,
    placement={"scale": 1.2, "translateY": 4},
)
