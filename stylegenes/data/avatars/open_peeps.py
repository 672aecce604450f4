"""Open Peeps: hand-drawn heads in three-quarter view. Artwork by Pablo Stanley, CC0."""

from __future__ import annotations

from stylegenes.data.avatars.domain import NOTHING, Causes, Domain, Drawn, Weights, one_of, spread

_LONG = ("bangs", "bangs2", "long", "longAfro", "longBangs", "longCurly", "mediumBangs", "mediumBangs2", "mediumBangs3")
_MEDIUM = ("medium1", "medium2", "medium3", "mediumStraight", "buns", "bun", "bun2", "cornrows", "cornrows2")
_SHORT = ("short1", "short2", "short3", "short4", "short5", "flatTop", "flatTopLong", "pomp", "twists", "twists2")
_SHAVED = ("shaved1", "shaved2", "shaved3", "mohawk", "mohawk2")
_CURLY = ("afro", "bantuKnots", "dreads1", "dreads2")
_GRAY, _BALD = ("grayBun", "grayMedium", "grayShort"), ("noHair1", "noHair2", "noHair3")
_HATS, _SCARVES = ("hatBeanie", "hatHip"), ("hijab", "turban")
_GLASSES, _SUNGLASSES = ("glasses", "glasses2", "glasses3", "glasses4", "glasses5"), ("sunglasses", "sunglasses2")
_BEARDS = ("chin", "full", "full2", "full3", "full4")
_GOATEES = ("goatee1", "goatee2")
_MUSTACHES = tuple(f"moustache{number}" for number in (1, 2, 3, 4, 5, 6, 7, 9))
_SMILES = ("smile", "smileBig", "smileLOL", "smileTeethGap", "calm", "cheeky", "cute", "lovingGrin1", "lovingGrin2")
_ANGRY = ("angryWithFang", "veryAngry", "rage", "driven")
_WORRIED = ("concerned", "concernedFear", "fear", "solemn", "tired", "hectic")
_PLAIN = ("blank", "serious", "suspicious", "contempt", "explaining", "eyesClosed", "awe", "eatingHappy")
_PALE, _LIGHT, _BROWN, _DARK, _DARKEST = "ffdbb4", "edb98a", "d08b5b", "ae5d29", "694d3d"


def _head(c: Causes) -> Weights:
    curly = spread(0.2 if c.tone >= 0.6 else 0.06, *_CURLY)
    hidden = {**spread(0.06, *_HATS), "turban" if c.male else "hijab": 0.03}
    gray = spread(0.6 if c.old else 0.01, *(("grayShort",) if c.male else ("grayBun", "grayMedium")))
    if c.male:
        bald = spread(0.3 if c.old else 0.05, *_BALD)
        return {
            **spread(0.45, *_SHORT),
            **spread(0.14, *_SHAVED),
            **spread(0.06, *_MEDIUM),
            **curly,
            **gray,
            **bald,
            **hidden,
        }
    return {**spread(0.4, *_LONG), **spread(0.35, *_MEDIUM), **spread(0.05, *_SHORT), **curly, **gray, **hidden}


def _expression(c: Causes) -> Weights:
    old = {"old": 0.1} if c.old else {}
    if c.happy:
        return {**spread(0.8, *_SMILES), **spread(0.15, *_PLAIN), **spread(0.02, *_ANGRY), **spread(0.03, *_WORRIED)}
    return {**spread(0.08, *_SMILES), **spread(0.4, *_PLAIN), **spread(0.22, *_ANGRY), **spread(0.3, *_WORRIED), **old}


def _facial_hair(c: Causes) -> Weights:
    if not c.male:
        return {NOTHING: 1.0}
    return {NOTHING: 0.5, **spread(0.24, *_BEARDS), **spread(0.1, *_GOATEES), **spread(0.16, *_MUSTACHES)}


def _accessories(c: Causes) -> Weights:
    glasses = spread(0.34 if c.old else 0.12, *_GLASSES)
    return {NOTHING: 0.72, **glasses, **spread(0.03 if c.old else 0.08, *_SUNGLASSES)}


def _skin(c: Causes) -> Weights:
    if c.tone < 0.6:
        return {_PALE: 0.55, _LIGHT: 0.42, _BROWN: 0.03}
    return {_BROWN: 0.5, _DARK: 0.3, _DARKEST: 0.2}


def _contrast(c: Causes) -> Weights:
    if c.old:
        return {"e8e1e1": 0.7, "ecdcbf": 0.3}
    return spread(1, "d6b370", "b58143", "a55728", "724133", "4a312c", "c93305")


def _settle(drawn: Drawn) -> Drawn:
    """A mask hides the mouth, so the expression under it is plain."""
    return {**drawn, "facialHair": NOTHING, "expression": "blank"} if drawn["mask"] != NOTHING else drawn


OPEN_PEEPS = Domain(
    style="open-peeps",
    license="Open Peeps by Pablo Stanley, CC0 1.0 (https://www.openpeeps.com)",
    components={
        "head": _head,
        "expression": _expression,
        "facialHair": _facial_hair,
        "accessories": _accessories,
        "mask": lambda _: {NOTHING: 0.97, "medicalMask": 0.03},
    },
    colors={
        "skinColor": _skin,
        "headContrastColor": _contrast,
        "clothingColor": lambda _: spread(1, "8fa7df", "78e185", "ffcf77", "e279c7", "e78276", "9ddadb", "fdea6b"),
        "inkColor": lambda _: {"000000": 1.0},
        "backgroundColor": lambda _: spread(1, "b6e3f4", "c0aede", "d1d4f9", "ffd5dc", "ffdfbf", "b5d5b0"),
    },
    attributes={
        "Pale_Skin": one_of("skinColor", _PALE),
        "Dark_Skin": one_of("skinColor", _DARK, _DARKEST),
        "Gray_Hair": one_of("head", *_GRAY),
        "Bald": one_of("head", *_BALD),
        "Long_Hair": one_of("head", *_LONG, *_MEDIUM),
        "Short_Hair": one_of("head", *_SHORT, *_SHAVED, "grayShort"),
        "Curly_Hair": one_of("head", *_CURLY, "longAfro", "longCurly"),
        "Wearing_Hat": one_of("head", *_HATS),
        "Wearing_Headscarf": one_of("head", *_SCARVES),
        "Eyeglasses": one_of("accessories", *_GLASSES),
        "Sunglasses": one_of("accessories", *_SUNGLASSES),
        "No_Beard": one_of("facialHair", NOTHING),
        "Full_Beard": one_of("facialHair", *_BEARDS),
        "Goatee": one_of("facialHair", *_GOATEES),
        "Mustache": one_of("facialHair", *_MUSTACHES),
        "Smiling": one_of("expression", *_SMILES),
        "Angry": one_of("expression", *_ANGRY),
        "Worried": one_of("expression", *_WORRIED),
        "Wearing_Mask": one_of("mask", "medicalMask"),
    },
    settle=_settle,
    placement={"scale": 1.3, "translateY": 4},
)
