"""The colours of the sample pictures, as (red, green, blue)."""

from __future__ import annotations

Colour = tuple[int, int, int]

WHITE: Colour = (250, 250, 248)
INK: Colour = (38, 32, 36)

SKINS: tuple[Colour, ...] = (
    (250, 226, 208),
    (244, 211, 186),
    (236, 194, 160),
    (224, 176, 136),
    (205, 154, 110),
    (183, 129, 88),
    (156, 104, 68),
    (128, 82, 54),
    (100, 64, 44),
    (74, 48, 36),
)
"""Ten tones from light to dark, about as far apart as the steps of Monk's scale."""

HAIRS: tuple[Colour, ...] = (
    (28, 24, 28),
    (44, 32, 30),
    (72, 48, 36),
    (104, 68, 44),
    (150, 84, 46),
    (192, 104, 52),
    (214, 170, 96),
    (168, 164, 164),
    (226, 224, 220),
    (60, 132, 150),
    (196, 92, 132),
)
HAIR_WEIGHTS = (24, 20, 16, 12, 6, 5, 8, 5, 4, 1.5, 1.5)

EYES: tuple[Colour, ...] = ((62, 40, 28), (82, 54, 34), (44, 32, 28), (70, 104, 74), (72, 112, 150))
EYE_WEIGHTS = (30, 25, 25, 8, 12)

CLOTHES: tuple[Colour, ...] = (
    (52, 84, 132),
    (172, 62, 58),
    (70, 126, 98),
    (226, 178, 74),
    (92, 74, 122),
    (60, 64, 74),
    (214, 212, 204),
    (204, 122, 78),
    (120, 164, 188),
    (158, 86, 110),
    (124, 132, 84),
    (38, 48, 62),
)

SCARVES: tuple[Colour, ...] = (
    (70, 84, 128),
    (166, 84, 102),
    (92, 132, 120),
    (212, 186, 150),
    (58, 58, 68),
    (128, 98, 146),
    (196, 136, 74),
    (226, 214, 206),
)

SURGICAL: tuple[Colour, ...] = (
    (126, 190, 222),
    (148, 210, 226),
    (152, 208, 178),
    (236, 244, 248),
    (240, 178, 196),
    (52, 54, 62),
)
CLOTH_MASKS: tuple[Colour, ...] = (
    (46, 62, 104),
    (186, 58, 66),
    (44, 120, 108),
    (238, 190, 80),
    (110, 82, 148),
    (34, 36, 42),
    (222, 226, 230),
    (86, 140, 196),
)
FFP2_MASKS: tuple[Colour, ...] = (
    (246, 247, 246),
    (238, 242, 246),
    (226, 230, 232),
    (54, 56, 64),
    (176, 204, 226),
)

WALLS: tuple[Colour, ...] = (
    (222, 208, 188),
    (176, 198, 204),
    (198, 178, 192),
    (150, 172, 150),
    (230, 224, 216),
    (128, 142, 164),
    (206, 160, 132),
    (94, 108, 118),
)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour, the rest of the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float) -> Colour:
    # Towards a warm dark rather than black: shadows stay coloured, as in an illustration.
    return mix(colour, (34, 18, 26), share)


def lighter(colour: Colour, share: float) -> Colour:
    return mix(colour, (255, 252, 244), share)
