"""The difference of two manifests in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maskdet.dataset.difference import QUANTILES, Difference, changed_words
from maskdet.dataset.findings import clean
from maskdet.wording.markdown import table

MOST_NAMES = 20
"""Pictures named for each kind of change; the rest are counted."""
_NONE = "–"


def difference_text(found: Difference) -> str:
    """Counts before and after, then the pictures by kind of change; ends with one newline."""
    if found.same:
        return f"The data is the same: data hash {found.before.data_hash}\n"
    blocks = [
        table(("", "before", "after", "change"), _rows(found)),
        *(_names(kind, names) for kind, names in _kinds(found) if names),
    ]
    return "\n\n".join(blocks) + "\n"


def _rows(found: Difference) -> Iterator[tuple[str, ...]]:
    old, new = found.before, found.after
    yield "data hash", old.data_hash[:12], new.data_hash[:12], ""
    for part in old.pictures:
        yield _counts(f"{part} pictures", old.pictures[part], new.pictures[part])
    for label in dict.fromkeys((*old.objects, *new.objects)):
        for part in old.pictures:
            before, after = (side.objects.get(label, {}).get(part, 0) for side in (old, new))
            yield _counts(f"{clean(label, 40)} in {part}", before, after)
    for name in dict.fromkeys((*old.collections, *new.collections)) if old.collections else ():
        yield _counts(f"pictures of {name}", old.collections.get(name, 0), new.collections.get(name, 0))
    yield from _quantiles("face width, px", old.widths, new.widths)
    yield from _quantiles("brightness", old.brightness, new.brightness)
    for name, (one, other) in changed_words(old, new).items():
        yield clean(name, 80), clean(one or _NONE, 40), clean(other or _NONE, 40), ""


def _counts(name: str, before: int, after: int) -> tuple[str, ...]:
    return name, f"{before}", f"{after}", f"{after - before:+d}" if after != before else ""


def _quantiles(
    name: str, before: Sequence[float] | None, after: Sequence[float] | None
) -> Iterator[tuple[str, ...]]:
    for place, quantile in enumerate(QUANTILES):
        one, other = (None if side is None else side[place] for side in (before, after))
        cells = tuple(_NONE if value is None else f"{value:g}" for value in (one, other))
        change = "" if one is None or other is None or one == other else f"{other - one:+.1f}"
        yield f"{name}, {quantile:.0%} quantile", *cells, change


def _kinds(found: Difference) -> Iterator[tuple[str, Sequence[str]]]:
    for part, names in found.added.items():
        yield f"Added to {part}", names
    for part, names in found.removed.items():
        yield f"Removed from {part}", names
    for way, names in found.moved.items():
        yield f"Moved from {way}", names
    yield "Relabelled", found.relabelled
    yield "Renamed", found.renamed


def _names(kind: str, names: Sequence[str]) -> str:
    shown = [f"- {clean(name, 160)}" for name in names[:MOST_NAMES]]
    if len(names) > MOST_NAMES:
        shown.append(f"- and {len(names) - MOST_NAMES} more")
    return f"{kind}: {len(names)}\n" + "\n".join(shown)
