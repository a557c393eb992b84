"""What a data set consists of: objects per class and part, and how small its faces are for the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskdet.dataset.manifest import Manifest, ManifestPicture, Part

SMALL = (8, 16, 32)
"""Face sizes in pixels whose share is reported. 8 px is one cell of PicoDet's finest feature map."""

INPUT_SIDES = (320, 416, 640)
"""Sides of PicoDet's square inputs."""

_MANY = 0.10
"""Share of faces under 16 px above which a larger input is worth its time."""

_FEW = 0.02
"""Share of faces under 16 px up to which an input is large enough."""

Sizes = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PartCounts:
    """One part of the split: its pictures, those without objects, its objects by class, how many of them
    are difficult, and the faces to ignore that have none of the classes.
    """

    pictures: int
    negatives: int
    objects: Mapping[str, int]
    difficult: int
    aside: int


def part_counts(manifest: Manifest, part: Part) -> PartCounts:
    pictures = manifest.part(part)
    objects = Counter(item.label for picture in pictures for item in picture.objects)
    negatives = sum(not picture.objects for picture in pictures)
    counts = {label: objects[label] for label in manifest.labels}
    aside = objects.total() - sum(counts.values())
    difficult = sum(item.difficult for picture in pictures for item in picture.objects) - aside
    return PartCounts(len(pictures), negatives, counts, difficult, aside)


def face_sizes(manifest: Manifest, input_size: tuple[int, int]) -> dict[str, Sizes]:
    """Per class [M]: sqrt(area) of each face in pixels of the network's input, `input_size` (height, width).

    The picture is stretched to the input, so width and height scale separately.
    """
    sizes: dict[str, list[float]] = {label: [] for label in manifest.labels}
    for picture in manifest.pictures:
        scale = input_size[0] * input_size[1] / (picture.width * picture.height)
        for item in (each for each in picture.objects if each.label in sizes):
            xmin, ymin, xmax, ymax = item.box
            sizes[item.label].append(float(np.sqrt((xmax - xmin) * (ymax - ymin) * scale)))
    return {label: np.array(values, np.float64) for label, values in sizes.items()}


def share_under(sizes: Iterable[Sizes], limit: float) -> float:
    """Share of all faces smaller than `limit` pixels, 0 if there are none."""
    joined = np.concatenate([np.zeros(0), *sizes])
    return float(np.mean(joined < limit)) if len(joined) else 0.0


def size_advice(manifest: Manifest, input_size: tuple[int, int]) -> str:
    """Whether the network's input suits the sizes of the faces, in a sentence."""
    shares = {side: _tiny(manifest, (side, side)) for side in INPUT_SIDES}
    here, side = _tiny(manifest, input_size), max(input_size)
    larger = [other for other in INPUT_SIDES if other > side]
    smaller = [other for other in INPUT_SIDES if other < side and shares[other] <= _FEW]
    said = f"At {input_size[1]} x {input_size[0]}, {here:.0%} of the faces are smaller than 16 px"
    if here > _MANY and larger:
        options = ", ".join(f"{shares[other]:.0%} at {other} x {other}" for other in larger)
        return f"{said}, which the network detects poorly. A larger input helps: {options}."
    if here > _MANY:
        advice = "Cut large pictures into tiles, or label fewer distant faces."
        return f"{said}, which the network detects poorly. {advice}"
    if smaller:
        return f"{said}. {smaller[0]} x {smaller[0]} would do ({shares[smaller[0]]:.0%}) and is faster."
    return f"{said}. The input suits the faces."


def class_advice(manifest: Manifest) -> list[str]:
    """Sentences about classes that are rare, or missing from a part."""
    train, val = part_counts(manifest, "train").objects, part_counts(manifest, "val").objects
    totals = {label: train[label] + val[label] for label in manifest.labels}
    most = max(totals, key=lambda label: totals[label])
    advice = []
    for label in manifest.labels:
        lacking = [part for part, counts in (("train", train), ("val", val)) if not counts[label]]
        if lacking:
            advice.append(f"`{label}` has no object in {' and none in '.join(lacking)}.")
        elif totals[label] * 10 <= totals[most]:
            times = totals[most] / totals[label]
            advice.append(f"`{label}` is rare: `{most}` has {times:.0f} times as many objects.")
    return advice


def sample(manifest: Manifest, number: int) -> list[ManifestPicture]:
    """Up to `number` pictures to look at: each class in turn, the rarest first, then negatives."""
    totals = Counter(item.label for picture in manifest.pictures for item in picture.objects)
    order = sorted(manifest.labels, key=lambda label: (totals[label], label))
    # By hash, not by name: adjacent names are often adjacent in time.
    waiting = sorted(manifest.pictures, key=lambda picture: (picture.sha256, picture.picture))
    chosen: list[ManifestPicture] = []
    for turn in range(number):
        wanted = order[turn % len(order)]
        fitting = [picture for picture in waiting if any(item.label == wanted for item in picture.objects)]
        if waiting:
            best = (fitting or waiting)[0]
            chosen.append(best)
            waiting.remove(best)
    return chosen


def _tiny(manifest: Manifest, input_size: tuple[int, int]) -> float:
    return share_under(face_sizes(manifest, input_size).values(), 16)
