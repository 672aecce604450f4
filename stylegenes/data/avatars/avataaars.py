"""The avataaars: cartoon faces with forty attributes in the manner of CelebA. Artwork by Pablo Stanley."""

from __future__ import annotations

from collections.abc import Callable

from stylegenes.data.avatars.domain import NOTHING, Causes, Domain, Drawn, Weights, one_of, spread

_LONG = ("straight01", "straight02", "straightAndStrand", "bob", "miaWallace", "longButNotTooLong", "shavedSides")
_LONG_WAVY = ("bigHair", "curly", "curvy", "dreads", "fro", "froBand")
_SHORT = ("shortFlat", "shortRound", "shortWaved", "theCaesar", "theCaesarAndSidePart", "frizzle")
_SHORT_CURLY = ("shortCurly", "dreads01", "dreads02")
_SHAGGY = ("shaggy", "shaggyMullet")
_HATS = ("hat", "winterHat1", "winterHat02", "winterHat03", "winterHat04")
_SCARVES = ("hijab", "turban")
_GLASSES = ("prescription01", "prescription02", "round")
_SUNGLASSES = ("kurt", "sunglasses", "wayfarers")

_PALE, _LIGHT, _BROWN, _DARK, _DARKEST = "ffdbb4", "edb98a", "d08b5b", "ae5d29", "614335"
_TANNED, _YELLOW = "fd9841", "f8d25c"
_BLACK_HAIR, _BROWN_HAIR, _RED_HAIR = "2c1b18", ("4a312c", "724133", "a55728"), "c93305"
_BLOND_HAIR, _GRAY_HAIR = ("b58143", "d6b370", "ecdcbf"), "e8e1e1"
_DARK_CLOTH = ("262e33", "25557c", "3c4f5c")
_LIGHT_CLOTH = ("65c9ff", "5199e4", "e6e6e6", "929598", "b1e2ff", "a7ffc4", "ffafb9", "ffffb1", "ff488e", "ff5c5c")


def _skin(c: Causes) -> Weights:
    rare = {_TANNED: 0.01, _YELLOW: 0.01}
    if c.tone < 0.6:
        return {_PALE: 0.5, _LIGHT: 0.45, _BROWN: 0.03, **rare}
    if c.tone < 0.8:
        return {_LIGHT: 0.3, _BROWN: 0.63, _DARK: 0.05, **rare}
    return {_BROWN: 0.1, _DARK: 0.5, _DARKEST: 0.38, **rare}


def _hair_color(c: Causes) -> Weights:
    if c.old:
        return {_GRAY_HAIR: 0.62, _BLACK_HAIR: 0.14, **spread(0.18, *_BROWN_HAIR), **spread(0.06, *_BLOND_HAIR)}
    if c.tone >= 0.6:
        return {_GRAY_HAIR: 0.01, _BLACK_HAIR: 0.74, **spread(0.2, *_BROWN_HAIR), **spread(0.05, *_BLOND_HAIR)}
    blond = spread(0.2 if c.male else 0.33, *_BLOND_HAIR)
    return {_GRAY_HAIR: 0.01, _BLACK_HAIR: 0.25, **spread(0.36, *_BROWN_HAIR), **blond, _RED_HAIR: 0.12}


def _top(c: Causes) -> Weights:
    curly = 1.8 if c.tone >= 0.6 else 0.7
    if not c.male:
        hidden = {**spread(0.07, *_HATS), "hijab": 0.04, "frida": 0.02, "bun": 0.06}
        return {
            **spread(0.48, *_LONG),
            **spread(0.2 * curly, *_LONG_WAVY),
            **spread(0.06, *_SHAGGY),
            **spread(0.05, *_SHORT),
            **hidden,
        }
    loss = {"sides": 0.24, NOTHING: 0.18} if c.old else {"sides": 0.02, NOTHING: 0.04}
    return {
        **spread(0.5, *_SHORT),
        **spread(0.13 * curly, *_SHORT_CURLY),
        **spread(0.06, *_SHAGGY),
        **spread(0.04, *_LONG),
        **spread(0.02, *_LONG_WAVY),
        **loss,
        **spread(0.1, *_HATS),
        "turban": 0.03,
        "bun": 0.01,
    }


def _facial_hair(c: Causes) -> Weights:
    if not c.male:
        return {NOTHING: 1.0}
    beards = {"beardLight": 0.16, "beardMedium": 0.15, "beardMajestic": 0.13 if c.old else 0.08}
    return {NOTHING: 0.46, **beards, **spread(0.14, "moustacheFancy", "moustacheMagnum")}


def _accessories(c: Causes) -> Weights:
    glasses = spread(0.34 if c.old else 0.12, *_GLASSES)
    return {NOTHING: 0.7, **glasses, **spread(0.03 if c.old else 0.09, *_SUNGLASSES), "eyepatch": 0.006}


def _eyes(c: Causes) -> Weights:
    if c.happy:
        happy = {"happy": 0.22, **spread(0.12, "wink", "winkWacky"), "hearts": 0.03}
        return {"default": 0.45, **happy, "side": 0.06, "squint": 0.05, "surprised": 0.05, "closed": 0.02}
    sad = {"cry": 0.04, "eyeRoll": 0.06, "xDizzy": 0.03, "closed": 0.09}
    return {"default": 0.43, **sad, "side": 0.14, "squint": 0.12, "surprised": 0.09, "happy": 0.01}


def _eyebrows(c: Causes) -> Weights:
    plain = {**spread(0.5, "default", "defaultNatural"), "flatNatural": 0.08, "unibrowNatural": 0.02}
    raised, up = ("raisedExcited", "raisedExcitedNatural"), ("upDown", "upDownNatural")
    sad, angry = ("sadConcerned", "sadConcernedNatural", "frownNatural"), ("angry", "angryNatural")
    if c.happy:
        return {**plain, **spread(0.28, *raised), **spread(0.08, *up), **spread(0.04, *sad), **spread(0.02, *angry)}
    return {**plain, **spread(0.04, *raised), **spread(0.08, *up), **spread(0.18, *sad), **spread(0.16, *angry)}


def _mouth(c: Causes) -> Weights:
    if c.happy:
        smiles = {"smile": 0.36, "default": 0.2, "twinkle": 0.22, "tongue": 0.08}
        return {**smiles, "serious": 0.06, "eating": 0.04, "disbelief": 0.02, "grimace": 0.02}
    smiles = {"smile": 0.04, "default": 0.03, "twinkle": 0.05, "tongue": 0.01}
    sad = {"sad": 0.24, "concerned": 0.12, "disbelief": 0.08, "screamOpen": 0.06}
    return {**smiles, **sad, "serious": 0.28, "grimace": 0.06, "eating": 0.02, "vomit": 0.01}


def _clothes(c: Causes) -> Weights:
    shirts = {"shirtCrewNeck": 0.2, "graphicShirt": 0.08, "overall": 0.06, "hoodie": 0.16}
    necks = {"shirtScoopNeck": 0.04, "shirtVNeck": 0.12} if c.male else {"shirtScoopNeck": 0.26, "shirtVNeck": 0.14}
    smart = spread(0.34 if c.male else 0.14, "blazerAndShirt", "blazerAndSweater")
    return {**shirts, **necks, **smart, "collarAndSweater": 0.14 if c.old else 0.05}


def _clothes_color(c: Causes) -> Weights:
    return {**spread(0.45 if c.male else 0.2, *_DARK_CLOTH), **spread(0.6, *_LIGHT_CLOTH)}


def _hat_color(_: Causes) -> Weights:
    return spread(1, "65c9ff", "5199e4", "25557c", "e6e6e6", "929598", "3c4f5c", "a7ffc4", "ffafb9", "ff488e", "ff5c5c")


def _settle(drawn: Drawn) -> Drawn:
    """Dark glasses hide the eyes, so the eyes are plain; a beard has the color of the hair on the head."""
    eyes = "default" if drawn["accessories"] in (*_SUNGLASSES, "eyepatch") else drawn["eyes"]
    graphic = drawn["clothesGraphic"] if drawn["clothes"] == "graphicShirt" else NOTHING
    return {**drawn, "eyes": eyes, "clothesGraphic": graphic, "facialHairColor": drawn["hairColor"]}


def _hair(*colors: str) -> Callable[[Drawn], bool]:
    """The test that hair on the head shows one of the colors."""
    return lambda drawn: drawn["top"] not in (NOTHING, *_HATS, *_SCARVES) and drawn["hairColor"] in colors


AVATAAARS = Domain(
    style="avataaars",
    license="Avataaars by Pablo Stanley, free for personal and commercial use (https://avataaars.com)",
    components={
        "top": _top,
        "facialHair": _facial_hair,
        "accessories": _accessories,
        "eyes": _eyes,
        "eyebrows": _eyebrows,
        "mouth": _mouth,
        "clothes": _clothes,
        "clothesGraphic": lambda _: {"diamond": 1.0},
        "nose": lambda _: {"default": 1.0},
    },
    colors={
        "skinColor": _skin,
        "hairColor": _hair_color,
        "facialHairColor": _hair_color,
        "clothesColor": _clothes_color,
        "hatColor": _hat_color,
        "accessoriesColor": lambda _: {"262e33": 0.6, "25557c": 0.15, "3c4f5c": 0.15, "ff5c5c": 0.1},
        "backgroundColor": lambda _: spread(1, "b6e3f4", "c0aede", "d1d4f9", "ffd5dc", "ffdfbf", "b5d5b0", "9fb4c7"),
    },
    attributes={
        "Pale_Skin": one_of("skinColor", _PALE),
        "Dark_Skin": one_of("skinColor", _DARK, _DARKEST),
        "Black_Hair": _hair(_BLACK_HAIR),
        "Brown_Hair": _hair(*_BROWN_HAIR),
        "Blond_Hair": _hair(*_BLOND_HAIR),
        "Red_Hair": _hair(_RED_HAIR),
        "Gray_Hair": _hair(_GRAY_HAIR),
        "Bald": one_of("top", NOTHING),
        "Receding_Hairline": one_of("top", "sides"),
        "Short_Hair": one_of("top", *_SHORT, *_SHORT_CURLY),
        "Long_Hair": one_of("top", *_LONG, *_LONG_WAVY),
        "Curly_Hair": one_of("top", *_SHORT_CURLY, "bigHair", "curly", "curvy", "fro", "froBand"),
        "Straight_Hair": one_of("top", *_LONG),
        "Bangs": one_of("top", "miaWallace", "straightAndStrand", "longButNotTooLong", "curvy", *_SHAGGY),
        "Updo": one_of("top", "bun", "frida"),
        "Wearing_Hat": one_of("top", *_HATS),
        "Wearing_Headscarf": one_of("top", *_SCARVES),
        "Eyeglasses": one_of("accessories", *_GLASSES),
        "Sunglasses": one_of("accessories", *_SUNGLASSES),
        "No_Beard": one_of("facialHair", NOTHING),
        "Full_Beard": one_of("facialHair", "beardMedium", "beardMajestic"),
        "Light_Beard": one_of("facialHair", "beardLight"),
        "Mustache": one_of("facialHair", "moustacheFancy", "moustacheMagnum"),
        "Raised_Eyebrows": one_of("eyebrows", "raisedExcited", "raisedExcitedNatural"),
        "Angry_Eyebrows": one_of("eyebrows", "angry", "angryNatural"),
        "Sad_Eyebrows": one_of("eyebrows", "sadConcerned", "sadConcernedNatural", "frownNatural"),
        "Bushy_Eyebrows": one_of("eyebrows", "flatNatural", "unibrowNatural"),
        "Eyes_Closed": one_of("eyes", "closed", "happy"),
        "Winking": one_of("eyes", "wink", "winkWacky"),
        "Wide_Eyes": one_of("eyes", "surprised", "eyeRoll"),
        "Looking_Sideways": one_of("eyes", "side"),
        "Smiling": one_of("mouth", "smile", "default", "twinkle", "tongue"),
        "Mouth_Open": one_of("mouth", "smile", "default", "tongue", "screamOpen", "concerned", "disbelief", "vomit"),
        "Sad_Mouth": one_of("mouth", "sad", "concerned", "disbelief"),
        "Tongue_Out": one_of("mouth", "tongue"),
        "Hoodie": one_of("clothes", "hoodie"),
        "Blazer": one_of("clothes", "blazerAndShirt", "blazerAndSweater"),
        "Dark_Clothes": one_of("clothesColor", *_DARK_CLOTH),
    },
    settle=_settle,
    placement={"scale": 1.45, "translateY": 6},
)
