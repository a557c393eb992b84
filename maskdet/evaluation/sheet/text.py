"""Lines of text on a sheet of pictures."""

from __future__ import annotations

from PIL import ImageDraw

from maskdet.detector.fonts import Font, find_font, find_latin
from maskdet.detector.outline import Colour


def font_for(text: str, size: int) -> Font:
    """One that has the text's letters, as far as there is one; `size` in pixels."""
    return find_font(text, size) or find_latin(size)


def write_within(
    canvas: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: str,
    colour: Colour,
    *,
    size: int,
    width: int,
) -> None:
    """Write a line from its upper left corner, cut to `width`; both sizes in pixels."""
    font = font_for(text, size)
    while font.getlength(text) > width:
        text = text[:-2] + "…"
    canvas.text(corner, text, font=font, fill=colour)
