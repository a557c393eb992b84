"""Fonts for captions: Pillow's own for Latin text, a system font for the rest."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from PIL import ImageFont

_LATIN_END: Final = 0x250
"""The first code point after Latin Extended-B."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_CJK_FONTS: Final = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "simsun.ttc",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "STHeiti Light.ttc",
    "Arial Unicode.ttf",
)
"""Fonts with Chinese, Japanese and Korean that systems ship; Pillow looks in the system's folders."""


def find_font(text: str, size: int) -> Font | None:
    """A font of `size` pixels that has the text's characters; None if this system has none."""
    return find_latin(size) if all(ord(letter) < _LATIN_END for letter in text) else _cjk(size)


@lru_cache(maxsize=32)
def find_latin(size: int) -> Font:
    """Pillow's own font, which is always available."""
    return ImageFont.load_default(size)


@lru_cache(maxsize=32)
def _cjk(size: int) -> Font | None:
    found = (_load(name, size) for name in _CJK_FONTS)
    return next((font for font in found if font), None)


def _load(name: str, size: int) -> Font | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None
