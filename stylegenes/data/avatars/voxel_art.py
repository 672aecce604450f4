"""Voxel Art: heads of blocks, seen from the side. Artwork by DiceBear, CC0."""

from __future__ import annotations

from stylegenes.data.avatars.domain import NOTHING, Causes, Domain, Weights, one_of, spread

_LONG = ("bob", "shoulderLength", "longStraight", "longWavy", "partedLong", "braids", "twinTails")
_SHORT = ("short", "spiky", "bowl", "sideSwept", "curly", "afro", "halfShaved")
_HATS, _TIED = ("cap", "beanie", "animalEars", "bunnyEars"), ("buns", "ponytail")
_PALE, _MIDDLE = ("f5d0b0", "eab890"), ("dda878", "c99062", "b07347")
_DARK = ("95562f", "7d4a26", "6a3d1f")
_BLACK, _BROWN, _BLOND = ("2c222b", "3b2f2f"), ("5a3825", "7b4a2d", "a56b46"), ("d9b380", "e8d4a8")
_RED, _DYED = "b55239", ("d6455d", "6d5acf", "3fb27f")
_SMILES = ("smile", "bigSmile", "smirk", "laugh", "wideSmile")
_SHADES, _CLEAR = ("shades", "visor"), ("round", "square", "cat")
_BACKGROUNDS = ("b6e3f4", "c0aede", "d1d4f9", "ffd5dc", "ffdfbf")


def _skin(c: Causes) -> Weights:
    if c.tone < 0.6:
        return {**spread(0.7, *_PALE), **spread(0.3, *_MIDDLE)}
    return {**spread(0.4, *_MIDDLE), **spread(0.6, *_DARK)}


def _hair(c: Causes) -> Weights:
    rest = {_RED: 0.02 if c.tone >= 0.6 else 0.08, **spread(0.01 if c.old else 0.1, *_DYED)}
    blond = spread(0.03 if c.tone >= 0.6 else 0.3, *_BLOND)
    return {**spread(0.65 if c.tone >= 0.6 else 0.2, *_BLACK), **spread(0.35, *_BROWN), **blond, **rest}


def _top(c: Causes) -> Weights:
    hats = spread(0.12, *_HATS)
    if c.male:
        return {
            **spread(0.7, *_SHORT),
            **spread(0.06, *_LONG),
            "mohawk": 0.05,
            NOTHING: 0.35 if c.old else 0.03,
            **hats,
        }
    return {**spread(0.65, *_LONG), **spread(0.12, *_SHORT), **spread(0.12, *_TIED), **hats}


def _mouth(c: Causes) -> Weights:
    if c.happy:
        return {**spread(0.85, *_SMILES), "grin": 0.05, "tongue": 0.06, "flat": 0.03, "frown": 0.01}
    return {**spread(0.12, *_SMILES), "flat": 0.35, "frown": 0.35, "ooh": 0.12, "grin": 0.06}


def _glasses(c: Causes) -> Weights:
    return {NOTHING: 0.72, **spread(0.35 if c.old else 0.12, *_CLEAR), **spread(0.03 if c.old else 0.1, *_SHADES)}


def _outfit(c: Causes) -> Weights:
    shirts = spread(0.6, "plain", "stripes", "jacket", "checker", "overalls", "hoodie", "coat")
    return {**shirts, **({"tie": 0.15, "suit": 0.15} if c.male else {"dress": 0.25})}


VOXEL_ART = Domain(
    style="voxel-art",
    license="Voxel Art by DiceBear, CC0 1.0 (https://www.dicebear.com)",
    components={
        "top": _top,
        "beard": lambda c: {NOTHING: 0.55, **spread(0.45, "full", "mustache", "goatee")} if c.male else {NOTHING: 1.0},
        "mouth": _mouth,
        "eyes": lambda _: spread(1, "open", "soft", "happy", "sleepy", "side", "closed", "wide"),
        "eyebrows": lambda c: spread(1, "flat", "raised", "soft") if c.happy else spread(1, "flat", "angry", "soft"),
        "glasses": _glasses,
        "cheeks": lambda c: {NOTHING: 0.7, "pixel": 0.05 if c.male else 0.3},
        "nose": lambda _: spread(1, "block", "wide", "small", "tall"),
        "outfit": _outfit,
        "animation": lambda _: {"none": 1.0},
    },
    colors={
        "skinColor": _skin,
        "hairColor": _hair,
        "hatColor": lambda _: spread(1, "c68a5f", "f2f2f2", "8d95d6", "e0876d", "5ba8a0", "d9a03c", "a06fb8"),
        "shirtColor": lambda _: spread(1, "e64980", "f76707", "fab005", "40c057", "228be6", "7950f2", "495057"),
        "jacketColor": lambda _: spread(1, "f8f9fa", "343a40", "3b5b8c", "6b4f3a", "5ba8a0"),
        "pantsColor": lambda _: {"3b5b8c": 1.0},
        "shoesColor": lambda _: {"343a40": 1.0},
        "backgroundColor": lambda _: spread(1, *_BACKGROUNDS),
    },
    attributes={
        "Pale_Skin": one_of("skinColor", *_PALE),
        "Dark_Skin": one_of("skinColor", *_DARK),
        "Black_Hair": lambda drawn: drawn["top"] not in (NOTHING, *_HATS) and drawn["hairColor"] in _BLACK,
        "Brown_Hair": lambda drawn: drawn["top"] not in (NOTHING, *_HATS) and drawn["hairColor"] in _BROWN,
        "Blond_Hair": lambda drawn: drawn["top"] not in (NOTHING, *_HATS) and drawn["hairColor"] in _BLOND,
        "Dyed_Hair": lambda drawn: drawn["top"] not in (NOTHING, *_HATS) and drawn["hairColor"] in _DYED,
        "Bald": one_of("top", NOTHING),
        "Long_Hair": one_of("top", *_LONG),
        "Short_Hair": one_of("top", *_SHORT),
        "Wearing_Hat": one_of("top", *_HATS),
        "Eyeglasses": one_of("glasses", *_CLEAR),
        "Sunglasses": one_of("glasses", *_SHADES),
        "No_Beard": one_of("beard", NOTHING),
        "Full_Beard": one_of("beard", "full"),
        "Mustache": one_of("beard", "mustache"),
        "Goatee": one_of("beard", "goatee"),
        "Rosy_Cheeks": one_of("cheeks", "pixel"),
        "Smiling": one_of("mouth", *_SMILES),
        "Frowning": one_of("mouth", "frown"),
    },
    settle=lambda drawn: {**drawn, "eyes": "open"} if drawn["glasses"] in _SHADES else drawn,
    placement={"scale": 1.35, "translateY": 3},
)
