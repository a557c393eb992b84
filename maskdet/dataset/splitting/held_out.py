"""What the lists of ImageSets/Main hold out, and pictures that are in two of them in all but name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from maskdet.dataset.checking.check import Check
from maskdet.dataset.findings import Finding
from maskdet.dataset.manifest import Part


def held_out(checked: Check) -> int:
    """The number of usable pictures that are test, and so in no part."""
    return sum(picture.listed == "test" for picture in checked.pictures)


def alike_across_lists(checked: Check, parts: Mapping[str, Part]) -> Iterator[Finding]:
    """The near-duplicates with a listed picture that stay on two sides; `parts` by name of the picture."""
    listed = {picture.name: picture.listed for picture in checked.pictures if picture.listed}
    sides = {
        name: parts.get(name, "test") for name, part in listed.items() if name in parts or part == "test"
    }
    for pair in checked.duplicates.pairs:
        first, second = (sides.get(name) or parts.get(name) for name in (pair.first, pair.second))
        if first and second and first != second and {pair.first, pair.second} & listed.keys():
            said = f"is {second}, and looks like {pair.first}, which is {first} ({pair.how})"
            yield Finding("lists-alike", pair.second, said, "keep such pictures in one list")
