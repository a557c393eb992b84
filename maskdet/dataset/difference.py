"""What changed from one manifest to another: pictures by their bytes, then counts of what they show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from maskdet.dataset.manifest import Manifest, ManifestPicture, Part

QUANTILES = (0.1, 0.5, 0.9)
_PARTS: tuple[Part, ...] = ("train", "val")


@dataclass(frozen=True, slots=True)
class Side:
    """One manifest in figures. Quantiles are those of QUANTILES, None without a face or a picture.

    `objects`: by class the number in train and in val; `widths`: of faces, in pixels; `brightness`: mean luma
    of pictures, 0..255; `collections`: pictures by root. A manifest without roots has neither of the two.
    """

    data_hash: str
    pictures: dict[str, int]
    objects: dict[str, dict[str, int]]
    widths: tuple[float, ...] | None
    brightness: tuple[float, ...] | None
    collections: dict[str, int]
    aliases: dict[str, dict[str, str]]
    roles: dict[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """`moved` are in another part, `relabelled` have other objects, `renamed` another name."""

    before: Side
    after: Side
    added: dict[str, tuple[str, ...]]
    removed: dict[str, tuple[str, ...]]
    moved: dict[str, tuple[str, ...]]
    relabelled: tuple[str, ...]
    renamed: tuple[str, ...]

    @property
    def same(self) -> bool:
        return self.before.data_hash == self.after.data_hash

    def to_json(self) -> dict[str, Any]:
        return {"same": self.same, **asdict(self)}


def compare(before: Manifest, after: Manifest) -> Difference:
    """Match pictures by their bytes, those of equal bytes by their names where they can be."""
    pairs, removed, added = _matched(before, after)
    return Difference(
        before=_side(before),
        after=_side(after),
        added=_by_part(after, added),
        removed=_by_part(before, removed),
        moved={
            f"{one} to {other}": tuple(
                after.name(new) for old, new in pairs if (old.part, new.part) == (one, other)
            )
            for one, other in (("train", "val"), ("val", "train"))
        },
        relabelled=tuple(after.name(new) for old, new in pairs if old.objects != new.objects),
        renamed=tuple(
            f"{before.name(old)} → {after.name(new)}"
            for old, new in pairs
            if before.name(old) != after.name(new)
        ),
    )


_Pair = tuple[ManifestPicture, ManifestPicture]


def _matched(
    before: Manifest, after: Manifest
) -> tuple[list[_Pair], list[ManifestPicture], list[ManifestPicture]]:
    """The pairs in the order of `after`, then what is only in one of them."""
    waiting: dict[str, list[ManifestPicture]] = defaultdict(list)
    for picture in before.pictures:
        waiting[picture.sha256].append(picture)
    named = {(each.sha256, before.name(each)): each for each in before.pictures}
    pairs, rest = [], []
    for picture in after.pictures:
        old = named.get((picture.sha256, after.name(picture)))
        if old is None:
            rest.append(picture)
        else:
            waiting[picture.sha256].remove(old)
            pairs.append((old, picture))
    added = []
    for picture in rest:
        if waiting[picture.sha256]:
            pairs.append((waiting[picture.sha256].pop(0), picture))
        else:
            added.append(picture)
    pairs.sort(key=lambda pair: after.name(pair[1]))
    return pairs, [each for same in waiting.values() for each in same], added


def _by_part(manifest: Manifest, pictures: Sequence[ManifestPicture]) -> dict[str, tuple[str, ...]]:
    return {
        part: tuple(sorted(manifest.name(each) for each in pictures if each.part == part)) for part in _PARTS
    }


def _side(manifest: Manifest) -> Side:
    counts = Counter((item.label, each.part) for each in manifest.pictures for item in each.objects)
    return Side(
        data_hash=manifest.data_hash,
        pictures={part: len(manifest.part(part)) for part in _PARTS},
        objects={label: {part: counts[label, part] for part in _PARTS} for label in manifest.labels},
        widths=_quantiles(list(_widths(manifest))),
        brightness=_quantiles([picture.luma for picture in manifest.pictures if picture.root]),
        collections=dict(Counter(picture.root for picture in manifest.pictures if picture.root)),
        aliases={root.name: dict(sorted(root.aliases.items())) for root in manifest.roots},
        roles=dict(manifest.roles),
    )


def _widths(manifest: Manifest) -> Iterator[float]:
    return (item.box[2] - item.box[0] for picture in manifest.pictures for item in picture.objects)


def _quantiles(values: Sequence[float]) -> tuple[float, ...] | None:
    return tuple(round(float(each), 1) for each in np.quantile(values, QUANTILES)) if values else None


def _flat(maps: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {f"{root}: {name}": label for root, names in maps.items() for name, label in names.items()}


def changed_words(before: Side, after: Side) -> dict[str, tuple[str | None, str | None]]:
    """Aliases, after the name of their root, and roles that differ: before and after, None where absent."""
    olds = {**_flat({f"alias of {root}": names for root, names in before.aliases.items()})}
    news = {**_flat({f"alias of {root}": names for root, names in after.aliases.items()})}
    olds.update(_flat({"role": before.roles}))
    news.update(_flat({"role": after.roles}))
    return {
        name: (olds.get(name), news.get(name))
        for name in dict.fromkeys((*olds, *news))
        if olds.get(name) != news.get(name)
    }
