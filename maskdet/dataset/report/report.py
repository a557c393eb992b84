"""Writes report.md: what the data set contains, what was found, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from maskdet.artefacts import FACE_SIZES, OBJECTS, SAMPLES
from maskdet.dataset.checking.check import Check
from maskdet.dataset.checking.duplicates import DuplicatePair
from maskdet.dataset.findings import RULES, Finding, bounded, by_severity, clean
from maskdet.dataset.manifest import Manifest
from maskdet.dataset.reading.image_sets import LISTS
from maskdet.dataset.report.fonts import typeface
from maskdet.dataset.settings import DataSettings
from maskdet.dataset.splitting.held_out import held_out
from maskdet.dataset.statistics import (
    SMALL,
    class_advice,
    face_sizes,
    part_counts,
    share_under,
    size_advice,
)
from maskdet.wording.markdown import table

NOTICES = 200
"""Notices listed in the report; dropped items are all listed."""

_FROZEN = ("val-duplicate", "val-missing")
_DUPLICATES = ("exact-duplicate", "near-duplicate")


def report_text(
    manifest: Manifest,
    result: Check,
    settings: DataSettings,
    input_size: tuple[int, int],
    unlabelled: int,
    settled: int,
) -> str:
    """The report in Markdown; `input_size` is (height, width), `unlabelled` counts the faces of
    data.unlabelled in train, `settled` the pictures that an earlier prepare has dealt.
    """
    sections = [
        _head(manifest, result, settings, settled),
        _collections(manifest),
        _counts(manifest),
        _sizes(manifest, input_size),
        _samples(manifest),
        _duplicates(manifest, result.findings, result.duplicates.pairs),
        _frozen(result.findings, settings),
        _unlabelled(settings, unlabelled),
        _dropped(result.findings),
        _notices(result.findings),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(manifest: Manifest, result: Check, settings: DataSettings, settled: int) -> str:
    train, val = len(manifest.part("train")), len(manifest.part("val"))
    names = ", ".join(_code(root.name) for root in manifest.roots)
    dealt = _dealt(manifest, result, settings, settled)
    return (
        f"# Data set {names}\n\n"
        f"{train + val} pictures: {train} to train on, {val} to validate on. {dealt}. "
        f"Data hash `{manifest.data_hash}`."
    )


def _dealt(manifest: Manifest, result: Check, settings: DataSettings, settled: int) -> str:
    split = settings.split
    if split.method == "lists":
        return f"Split by the lists in {_code(LISTS)}; {held_out(result)} test pictures are in neither part"
    seed = "" if split.method == "every-nth" else f", seed {split.seed}"
    rule = f"{split.ratio}, method {split.method}{seed}"
    if not settled or settings.frozen_val is None:
        return f"Split {rule}"
    stay = f"stay where an earlier prepare put them, as {_code(settings.frozen_val.name)} says"
    new = len(manifest.pictures) - settled
    return f"{settled} pictures {stay}" + (
        f"; of the other {new}, those to split are split {rule}" if new else ""
    )


def _collections(manifest: Manifest) -> str:
    """A row for each root, if there are several."""
    if len(manifest.roots) < 2:
        return ""
    rows = []
    for root in manifest.roots:
        own = [picture for picture in manifest.pictures if picture.root == root.name]
        val = sum(picture.part == "val" for picture in own)
        objects = sum(len(picture.objects) for picture in own)
        rows.append((_code(root.name), f"{len(own) - val}", f"{val}", f"{objects}", f"{root.weight:g}"))
    head = ("collection", "train", "val", "objects", "times an epoch shows a train picture")
    return "\n\n".join(["## Collections", table(head, rows)])


def _counts(manifest: Manifest) -> str:
    train, val = part_counts(manifest, "train"), part_counts(manifest, "val")
    rows = [
        (f"{number}: {_code(label)}", train.objects[label], val.objects[label])
        for number, label in enumerate(manifest.labels)
    ]
    rows.append(("all objects", sum(train.objects.values()), sum(val.objects.values())))
    if train.difficult or val.difficult:
        rows.append(("of these difficult, which are ignored", train.difficult, val.difficult))
    if train.aside or val.aside:
        rows.append(("of none of these classes, ignored", train.aside, val.aside))
    rows.append(("pictures", train.pictures, val.pictures))
    rows.append(("pictures without objects", train.negatives, val.negatives))
    cells = [(name, f"{left}", f"{right}", _share(right, left + right)) for name, left, right in rows]
    counted = table(("class", "train", "val", "val share"), cells)
    parts = ["## Objects", counted, f"![Objects per class and part]({OBJECTS})"]
    advice = [f"- {sentence}" for sentence in class_advice(manifest)]
    return "\n\n".join(parts + (["\n".join(advice)] if advice else []))


def _sizes(manifest: Manifest, input_size: tuple[int, int]) -> str:
    sizes = face_sizes(manifest, input_size)
    rows = [
        (_code(label), *(f"{share_under([values], limit):.1%}" for limit in SMALL))
        for label, values in sizes.items()
    ]
    rows.append(("all", *(f"{share_under(sizes.values(), limit):.1%}" for limit in SMALL)))
    counted = table(("class", *(f"under {limit} px" for limit in SMALL)), rows)
    return "\n\n".join(
        [
            "## Face sizes",
            f"Square root of a face's area once its picture is resized to {input_size[1]} x {input_size[0]}.",
            counted,
            f"**{size_advice(manifest, input_size)}**",
            f"![Histogram of face sizes]({FACE_SIZES})",
        ]
    )


def _samples(manifest: Manifest) -> str:
    parts = ["## Samples", f"![Pictures with their boxes]({SAMPLES})"]
    undrawn = [
        f"class {number} is {_code(label)}"
        for number, label in enumerate(manifest.labels)
        if not typeface().has(label)
    ]
    if undrawn:
        parts.append(f"This machine has no font for some names: in the plots {', '.join(undrawn)}.")
    return "\n\n".join(parts)


def _duplicates(manifest: Manifest, findings: Sequence[Finding], pairs: Sequence[DuplicatePair]) -> str:
    found = [finding for finding in findings if finding.code in _DUPLICATES]
    if not found:
        return ""
    parts = {manifest.name(picture): picture.part for picture in manifest.pictures}
    used = [pair for pair in pairs if pair.first in parts and pair.second in parts]
    leaks = sum(parts[pair.first] != parts[pair.second] for pair in used)
    text = "Pictures that are identical or look alike. " + (
        f"**{leaks} pairs are on both sides of the split, which makes figures on val look better than they "
        "are; the method grouped keeps each pair on one side.**"
        if leaks
        else "Each pair is on one side of the split."
    )
    return "\n\n".join([f"## Duplicates: {len(found)} pairs", text, _block(bounded(found, NOTICES))])


def _frozen(findings: Sequence[Finding], settings: DataSettings) -> str:
    if settings.frozen_val is None:
        return ""
    parts = [
        "## Frozen val",
        f"What was val stays val: {_code(settings.frozen_val.name)} lists it. Pictures like one of these "
        "neither train nor validate.",
    ]
    for code, head in (("val-duplicate", "Left out"), ("val-missing", "Not in the data")):
        found = [finding for finding in findings if finding.code == code]
        parts += [f"{head}: {len(found)}."] + ([_block(map(str, found))] if found else [])
    return "\n\n".join(parts)


def _unlabelled(settings: DataSettings, faces: int) -> str:
    if settings.unlabelled is None:
        return ""
    return (
        f"## Faces without a label: {faces}\n\n"
        f"{_code(settings.unlabelled.name)} lists them: a model is sure of them, and no label of their train "
        "picture has them. They are neither learnt nor background, and count as difficult above."
    )


def _dropped(findings: Sequence[Finding]) -> str:
    dropped = [finding for finding in findings if finding.is_error or finding.code == "picture-emptied"]
    if not dropped:
        return ""
    text = (
        "What `skip_bad` did, to the smallest sensible unit. It cut a box at the picture's edge if half of "
        "it is inside. It ignores a face whose class or place is in doubt, which is then no background "
        "either. It dropped an object without a usable box, or the picture if the whole file is bad or no "
        "object is left."
    )
    listed = [f"{finding} -> {_done(finding)}" for finding in dropped]
    return "\n\n".join([f"## Dropped: {len(dropped)} faults", text, _block(listed)])


def _done(finding: Finding) -> str:
    return f"{finding.drops} dropped" if finding.fate == "dropped" else finding.fate


def _notices(findings: Sequence[Finding]) -> str:
    notices = [
        finding
        for finding in by_severity(findings, "notice")
        if finding.code not in (*_DUPLICATES, *_FROZEN, "picture-emptied")
    ]
    if not notices:
        return "## Notices\n\nNone."
    kinds = Counter(finding.code for finding in notices)
    legend = "\n".join(f"- {code}, {kinds[code]} times: {RULES[code].meaning}" for code in sorted(kinds))
    return "\n\n".join([f"## Notices: {len(notices)}", legend, _block(bounded(notices, NOTICES))])


def _block(lines: Iterable[str]) -> str:
    return "\n".join(["```text", *lines, "```"])


def _code(text: str) -> str:
    """An untrusted name as inline code, whatever characters it has."""
    return "`" + clean(text, 80).replace("`", "'") + "`"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
