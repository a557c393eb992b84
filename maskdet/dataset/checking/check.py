"""Reads whole VOC folders and returns their usable pictures and everything that is wrong with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from maskdet.dataset.checking.boxes import UNSURE, usable_objects
from maskdet.dataset.checking.duplicates import Duplicates, find_duplicates
from maskdet.dataset.checking.labels import LabelBook, read_labels
from maskdet.dataset.findings import Collector, Finding, clean, sort_key
from maskdet.dataset.manifest import ManifestObject, unique_name
from maskdet.dataset.reading.annotation import Reading, read_annotation
from maskdet.dataset.reading.image_sets import ListedPart, image_sets_of
from maskdet.dataset.reading.layout import Pair, find_pairs, is_empty
from maskdet.dataset.reading.pictures import FORMATS, PictureFacts, read_all_facts
from maskdet.dataset.reading.sizes import fits_picture, note_turn
from maskdet.dataset.settings import DataSettings, NamedRoot
from maskdet.progress import Track, silent
from maskdet.types import Annotation
from maskdet.wording.lexicon import label_roles, unknown_roles


@dataclass(frozen=True, slots=True)
class CheckedPicture:
    """A usable picture, with its usable objects; `name` tells it from those of all roots."""

    root: str
    name: str
    picture: str
    annotation: str
    facts: PictureFacts
    objects: tuple[ManifestObject, ...]
    held_out: bool = False
    """Whether it corrects a picture of a root that is val, and so must not train either."""
    listed: ListedPart | None = None
    """Its list in ImageSets/Main, or that of the picture that it corrects, if lists decide."""


@dataclass(frozen=True, slots=True)
class Check:
    """Usable pictures sorted by name, root after root; classes in the model's order; findings in the order of
    the files.
    """

    pictures: tuple[CheckedPicture, ...]
    labels: tuple[str, ...]
    duplicates: Duplicates
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A pair of files, in which root, and the name of that in findings: "" if it is the only one."""

    root: NamedRoot
    shown: str
    pair: Pair
    listed: ListedPart | None

    def named(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        return _named(self.shown, findings)


def check(settings: DataSettings, track: Track = silent) -> Check:
    """Read and check all folders. Bad items are left out of `pictures` and become findings.

    Raises DatasetError if a folder is not laid out as VOC, or settings contradict each other.
    """
    findings: list[Finding] = []
    places = _places(settings, findings)
    files = [(place.root.root / place.pair.picture, place.pair.picture) for place in places]
    facts = list(track(read_all_facts(files), "Reading pictures", len(files)))
    readings = [
        read_annotation(place.root.root / place.pair.annotation, place.pair.annotation) for place in places
    ]
    books = read_labels(_names(places, readings), settings)
    pictures = []
    for place, fact, reading in zip(places, facts, readings, strict=True):
        found = [*reading.findings]
        usable = _check_pair(place, fact, reading, books[place.root.name], found)
        findings.extend(place.named(found))
        if usable is not None:
            pictures.append(usable)
    pictures = _corrected(pictures, settings, findings)
    duplicates = _duplicates(pictures, findings)
    labels = _labels(pictures, settings, findings)
    findings.extend(_unknown_roles(labels, settings))
    return Check(tuple(pictures), labels, duplicates, tuple(sorted(findings, key=sort_key)))


def _places(settings: DataSettings, findings: list[Finding]) -> list[_Place]:
    """The pairs of all roots; an optional root that is missing or empty has none."""
    roots = settings.every_root
    places: list[_Place] = []
    for root in roots:
        if root.optional and is_empty(root.root):
            continue
        shown = root.name if len(roots) > 1 else ""
        layout = find_pairs(root.root)
        sets = image_sets_of(root, layout.pairs, settings.split.method)
        findings.extend(_named(shown, (*layout.findings, *sets.findings)))
        places.extend(_Place(root, shown, pair, sets.parts.get(pair.picture)) for pair in sets.pairs)
    return places


def _named(collection: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    return (replace(each, file=unique_name(collection, each.file)) for each in findings)


def _names(places: Sequence[_Place], readings: Sequence[Reading]) -> dict[str, Counter[str]]:
    """By root the objects that carry each name."""
    names: dict[str, Counter[str]] = defaultdict(Counter)
    for place, reading in zip(places, readings, strict=True):
        if reading.annotation is not None:
            names[place.root.name].update(item.label for item in reading.annotation.objects if item.label)
    return names


def _check_pair(
    place: _Place, facts: PictureFacts | Finding, reading: Reading, book: LabelBook, findings: list[Finding]
) -> CheckedPicture | None:
    """The picture if it is usable; else None, with the reason among the findings."""
    pair, annotation = place.pair, reading.annotation
    if isinstance(facts, Finding):
        findings.append(facts)
        return None
    findings.extend(_format(pair, facts))
    if annotation is None:
        return None
    report = Collector(pair.annotation)
    claimed = (annotation.height, annotation.width)
    fits = fits_picture(claimed, facts.size, report)
    if fits and annotation.objects:
        note_turn(claimed, facts.size, report)
    _check_filename(annotation, pair, report)
    objects = usable_objects(annotation.objects, facts.size, book, report) if fits else ()
    if fits and not objects:
        _note_negative(reading, report)
    findings.extend(report.findings)
    if not fits or (_had_objects(reading) and not objects):
        return None
    name = unique_name(place.shown, pair.picture)
    return CheckedPicture(
        place.root.name, name, pair.picture, pair.annotation, facts, objects, listed=place.listed
    )


def _had_objects(reading: Reading) -> bool:
    return reading.unread > 0 or (reading.annotation is not None and bool(reading.annotation.objects))


def _format(pair: Pair, facts: PictureFacts) -> list[Finding]:
    promised = FORMATS[PurePosixPath(pair.picture).suffix.lower()]
    if facts.real_format == promised:
        return []
    message = f"the content is {facts.real_format}, the suffix says {promised}"
    return [Finding("format-differs", pair.picture, message)]


def _check_filename(annotation: Annotation, pair: Pair, report: Collector) -> None:
    # Windows tools write full paths with backslashes.
    named = annotation.filename.replace("\\", "/")
    own = PurePosixPath(pair.picture)
    if named and PurePosixPath(named).stem not in {own.stem, own.name}:
        report.add("filename-differs", f"<filename> is '{clean(named, 80)}', the picture is {own.name}")


def _note_negative(reading: Reading, report: Collector) -> None:
    """A picture without objects is a negative; one that lost them all must not become one."""
    if _had_objects(reading):
        report.add("picture-emptied", "none of its objects is usable, so the picture is not either")
    else:
        report.add("no-objects", "no objects; the picture is kept as a negative")


def _corrected(
    pictures: Sequence[CheckedPicture], settings: DataSettings, findings: list[Finding]
) -> list[CheckedPicture]:
    """Without the pictures of which a root that corrects others has the same bytes."""
    correcting = {root.name for root in settings.every_root if root.corrects}
    better = {picture.facts.sha256: picture for picture in pictures if picture.root in correcting}
    held_out = _digests_of_val(pictures, settings)
    listed = {each.facts.sha256: each.listed for each in pictures if each.root not in correcting}
    kept = []
    for picture in pictures:
        stands = better.get(picture.facts.sha256, picture)
        if picture.root in correcting:
            digest = picture.facts.sha256
            part = listed.get(digest) or picture.listed
            kept.append(replace(picture, held_out=digest in held_out, listed=part))
        elif stands is picture:
            kept.append(picture)
        else:
            differ = _difference(stands.objects, picture.objects)
            findings.append(Finding("corrected", picture.name, f"{stands.name} stands in its place{differ}"))
    return kept


def _digests_of_val(pictures: Iterable[CheckedPicture], settings: DataSettings) -> set[str]:
    val = {root.name for root in settings.every_root if root.part == "val"}
    return {picture.facts.sha256 for picture in pictures if picture.root in val}


def _duplicates(pictures: Sequence[CheckedPicture], findings: list[Finding]) -> Duplicates:
    names = [item.name for item in pictures]
    duplicates = find_duplicates(
        names, [item.facts.sha256 for item in pictures], [item.facts.phash for item in pictures]
    )
    objects = {item.name: item.objects for item in pictures}
    for pair in duplicates.pairs:
        code = "exact-duplicate" if pair.exact else "near-duplicate"
        said = f"looks like {pair.first} (likeness {pair.likeness:.2f})"
        if pair.exact:
            said = f"the same bytes as {pair.first}"
        differ = _difference(objects[pair.first], objects[pair.second])
        findings.append(Finding(code, pair.second, f"{said}{differ}"))
    return duplicates


def _difference(first: Sequence[ManifestObject], second: Sequence[ManifestObject]) -> str:
    """How the labels of two look-alike pictures differ, which hints at a wrong label."""
    one, other = (Counter(item.label for item in objects) for objects in (first, second))
    if one == other:
        return ""
    labels = sorted(one.keys() | other.keys())
    parts = [f"{label} {other[label]} versus {one[label]}" for label in labels if one[label] != other[label]]
    return f", but labelled differently: {', '.join(parts)}"


def _labels(
    pictures: Sequence[CheckedPicture], settings: DataSettings, findings: list[Finding]
) -> tuple[str, ...]:
    used = [picture for picture in pictures if picture.listed != "test"]
    found = {item.label for picture in used for item in picture.objects}
    found -= {UNSURE, *settings.ignore}
    if settings.labels is None:
        return tuple(sorted(found))
    unseen = [label for label in settings.labels if label not in found]
    findings.extend(Finding("label-unseen", "data.labels", f"no object is a '{label}'") for label in unseen)
    return settings.labels


def _unknown_roles(labels: Sequence[str], settings: DataSettings) -> list[Finding]:
    hint = "set its role in data.roles: masked, bare or worn-wrong"
    return [
        Finding("role-unknown", "data.roles", f"the name '{clean(label, 60)}' is unclear", hint)
        for label in unknown_roles(labels, label_roles(labels, settings.roles))
    ]
