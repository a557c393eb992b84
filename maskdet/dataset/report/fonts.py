"""Finds fonts for the plots, so that Chinese names are legible, or numbers where no font has them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from matplotlib.font_manager import FontProperties, fontManager, get_font

from maskdet.dataset.findings import clean

# Fonts with Chinese characters that come with Linux distributions, macOS and Windows, best first.
_CJK = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans CJK JP",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "PingFang HK",
    "Hiragino Sans GB",
    "Heiti TC",
    "STHeiti",
    "Arial Unicode MS",
)
_LATIN = "DejaVu Sans"


@dataclass(frozen=True)
class Typeface:
    """Fonts to try in turn, and the characters they have between them."""

    families: tuple[str, ...]
    characters: frozenset[int]

    def font(self, size: float) -> FontProperties:
        return FontProperties(family=list(self.families), size=size)

    def has(self, text: str) -> bool:
        return all(ord(character) in self.characters for character in text)

    def shown(self, text: str, otherwise: str, length: int) -> str:
        """`text` as it can be drawn, or `otherwise` if no font has one of its characters."""
        text = clean(text, length)
        drawn = text if self.has(text) else otherwise
        # matplotlib reads $...$ as a formula and leaves names with a leading underscore out of legends.
        return (" " if drawn.startswith("_") else "") + drawn.replace("$", r"\$")


@lru_cache(maxsize=1)
def typeface() -> Typeface:
    """The Latin font that comes with matplotlib, and the first Chinese one of this machine."""
    paths = {entry.name: entry.fname for entry in fontManager.ttflist}
    chinese = [name for name in _CJK if name in paths][:1]
    families = (_LATIN, *chinese)
    characters = {code for name in families for code in get_font(paths[name]).get_charmap()}
    return Typeface(families, frozenset(characters))
