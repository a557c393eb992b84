"""The people in a picture, with random traits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from draw_sample import palette
from draw_sample.dice import Dice
from draw_sample.palette import Colour

HairStyle = Literal[
    "bald", "balding", "buzz", "short", "quiff", "curly", "afro", "fringe",
    "bob", "long", "wavy", "bun", "ponytail", "braids",
]  # fmt: skip
Headwear = Literal["none", "headscarf", "hood", "beanie", "cap", "turban", "sunhat"]
Beard = Literal["none", "stubble", "moustache", "goatee", "full"]
Glasses = Literal["none", "round", "square", "sun"]
Mouth = Literal["smile", "laugh", "lips", "neutral", "open"]
MaskShape = Literal["surgical", "cloth", "ffp2"]
Pattern = Literal["plain", "dots", "stripes", "seam"]

_HAIR_WEIGHTS = (4, 4, 8, 14, 8, 9, 8, 8, 8, 10, 8, 6, 5, 5)
_HAIR_STYLES: tuple[HairStyle, ...] = get_args(HairStyle)
_UNDER_HEADWEAR: tuple[HairStyle, ...] = ("buzz", "buzz", "long", "bob", "wavy", "braids")
_NEEDS_NO_HAIR = ("headscarf", "hood", "turban")


@dataclass(frozen=True)
class Mask:
    """The wear over nose and mouth."""

    shape: MaskShape
    colour: Colour
    pattern: Pattern
    valve: bool


@dataclass(frozen=True)
class Person:
    """All traits of one drawn person. yaw and tilt in radians; width and jaw about 1."""

    skin: Colour
    hair: HairStyle
    hair_colour: Colour
    headwear: Headwear
    headwear_colour: Colour
    eyes: Colour
    brow: float
    beard: Beard
    glasses: Glasses
    mouth: Mouth
    mask: Mask | None
    clothes: Colour
    collar: Literal["crew", "v", "shirt"]
    striped: bool
    yaw: float
    tilt: float
    width: float
    jaw: float


def deal_mask(dice: Dice) -> Mask:
    shape: MaskShape = dice.pick(("surgical", "cloth", "ffp2"), (5, 3, 2))
    colours = {"surgical": palette.SURGICAL, "cloth": palette.CLOTH_MASKS, "ffp2": palette.FFP2_MASKS}
    weights = {"surgical": (5, 4, 3, 4, 1, 1), "cloth": None, "ffp2": (5, 3, 2, 1, 1)}
    pattern: Pattern = dice.pick(("plain", "dots", "stripes", "seam"), (3, 2, 2, 3))
    return Mask(shape, dice.pick(colours[shape], weights[shape]), pattern, dice.chance(0.3))


def deal_person(dice: Dice, skin: Colour, *, masked: bool) -> Person:
    headwear: Headwear = dice.pick(
        ("none", "headscarf", "hood", "beanie", "cap", "turban", "sunhat"), (66, 11, 3, 6, 6, 4, 4)
    )
    hair: HairStyle = dice.pick(_HAIR_STYLES, _HAIR_WEIGHTS)
    if headwear != "none":
        hair = "bald" if headwear in _NEEDS_NO_HAIR else dice.pick(_UNDER_HEADWEAR)
    bearded = headwear != "headscarf" and hair in ("bald", "balding", "buzz", "short", "quiff", "curly")
    return Person(
        skin=skin,
        hair=hair,
        hair_colour=_hair_colour(dice, skin),
        headwear=headwear,
        headwear_colour=dice.pick(palette.SCARVES if headwear == "headscarf" else palette.CLOTHES),
        eyes=dice.pick(palette.EYES, palette.EYE_WEIGHTS if sum(skin) > 480 else (1, 1, 1, 0, 0)),
        brow=dice.number(0.05, 0.09),
        beard=dice.pick(("none", "stubble", "moustache", "goatee", "full"), (4, 2, 1, 1, 2))
        if bearded
        else "none",
        glasses=dice.pick(("none", "round", "square", "sun"), (72, 12, 12, 4)),
        mouth=dice.pick(("smile", "laugh", "lips", "neutral", "open"), (4, 3, 3, 2, 1)),
        mask=deal_mask(dice) if masked else None,
        clothes=dice.pick(palette.CLOTHES),
        collar=dice.pick(("crew", "v", "shirt")),
        striped=dice.chance(0.2),
        yaw=dice.number(-0.28, 0.28),
        tilt=dice.number(-0.2, 0.2),
        width=dice.number(0.94, 1.05),
        jaw=dice.number(0.88, 1.12),
    )


def _hair_colour(dice: Dice, skin: Colour) -> Colour:
    colour = dice.pick(palette.HAIRS, palette.HAIR_WEIGHTS)
    # Dark hair nearly the colour of dark skin would hide the hairline: one lighter step sets it off.
    near = sum(abs(a - b) for a, b in zip(colour, skin, strict=True)) < 90
    return palette.darker(colour, 0.55) if near else colour
