"""Two histograms bin by bin, as inline SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from maskdet.reporting.markup import Markup, element

WIDTH: Final = 360
HEIGHT: Final = 150
_BOTTOM: Final = 18
_TONES: Final = ("val", "seen")


def histogram(expected: Sequence[int], seen: Sequence[int], edges: Sequence[float]) -> Markup:
    """Shares on val (left) and as seen (right) in each bin that either has, and those between.

    expected, seen: counts [K]; edges [K - 1], or none for labels, whose bins are numbered from 1.
    """
    places = _filled(expected, seen, edges)
    step = WIDTH / max(len(places), 1)
    return element(
        "svg",
        *_bars([_shares(expected), _shares(seen)], places, step),
        element("line", x1=0, x2=WIDTH, y1=HEIGHT - _BOTTOM, y2=HEIGHT - _BOTTOM, class_="grid"),
        *(_ends(places, edges) if edges else _numbers(places, step)),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        aria_hidden="true",
    )


def swatch(tone: str) -> Markup:
    """The colour of `val` or `seen`, for a legend."""
    square = element("rect", class_=f"tone-{tone}", x=6, y=0, width=12, height=12)
    return element("svg", square, viewBox="0 0 24 12", width=24, height=12, aria_hidden="true")


def _filled(expected: Sequence[int], seen: Sequence[int], edges: Sequence[float]) -> range:
    if not edges:
        return range(len(expected))
    used = [place for place, pair in enumerate(zip(expected, seen, strict=True)) if any(pair)]
    return range(used[0], used[-1] + 1) if used else range(0)


def _shares(counts: Sequence[int]) -> list[float]:
    whole = max(sum(counts), 1)
    return [count / whole for count in counts]


def _bars(shares: Sequence[Sequence[float]], places: range, step: float) -> Iterator[Markup]:
    top = max((max(each) for each in shares), default=0) or 1
    inner = HEIGHT - _BOTTOM
    for column, place in enumerate(places):
        for number, (tone, each) in enumerate(zip(_TONES, shares, strict=True)):
            tall = each[place] / top * inner
            yield element(
                "rect",
                class_=f"tone-{tone}",
                x=f"{(column + 0.45 * number) * step:.1f}",
                y=f"{inner - tall:.1f}",
                width=f"{0.42 * step:.1f}",
                height=f"{tall:.1f}",
            )


def _ends(places: range, edges: Sequence[float]) -> Iterator[Markup]:
    if places:
        low = f"{edges[places[0] - 1]:g}" if places[0] else f"< {edges[0]:g}"
        high = f"{edges[places[-1]]:g}" if places[-1] < len(edges) else f"≥ {edges[-1]:g}"
        yield _mark(low, 0, "start")
        yield _mark(high, WIDTH, "end")


def _numbers(places: range, step: float) -> Iterator[Markup]:
    for place in places:
        yield _mark(str(place + 1), (place + 0.435) * step, "middle")


def _mark(text: str, x: float, anchor: str) -> Markup:
    return element("text", text, x=round(x, 1), y=HEIGHT - 4, text_anchor=anchor)
