"""The verb: check a VOC folder, split it, and write all that later stages need to know about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from maskdet.artefacts import MANIFEST, REPORT
from maskdet.dataset.checking.check import Check, CheckedPicture, check
from maskdet.dataset.checking.duplicates import DuplicatePair
from maskdet.dataset.checking.stopping import fault_lines, stop_on_errors
from maskdet.dataset.findings import Finding, by_severity, sort_key
from maskdet.dataset.label_list import write_labels
from maskdet.dataset.manifest import Manifest, ManifestPicture, ManifestRoot, Part
from maskdet.dataset.report.plots import draw_plots
from maskdet.dataset.report.report import report_text
from maskdet.dataset.settings import DataSettings
from maskdet.dataset.splitting.dealing import deal
from maskdet.dataset.splitting.frozen import read_frozen
from maskdet.dataset.splitting.held_out import alike_across_lists, held_out
from maskdet.dataset.unlabelled import read_unlabelled
from maskdet.errors import DatasetError
from maskdet.progress import Track, silent
from maskdet.system.files import write_text


@dataclass(frozen=True, slots=True)
class PrepareSummary:
    """What prepare found. `objects` by class, in the model's order; findings in the order of the files."""

    pictures: int
    train: int
    val: int
    objects: Mapping[str, int]
    findings: tuple[Finding, ...]
    duplicates: tuple[DuplicatePair, ...]
    left_out: int = 0
    """Pictures that are not used because they are like a picture of val."""
    unlabelled: int = 0
    """Faces of data.unlabelled in train: neither learnt nor background."""
    test: int = 0
    """Pictures that are in neither part, since test.txt in ImageSets/Main has them."""

    @property
    def notices(self) -> tuple[Finding, ...]:
        return tuple(by_severity(self.findings, "notice"))

    @property
    def dropped(self) -> tuple[Finding, ...]:
        """The errors whose object, annotation or picture `skip_bad` left out."""
        return tuple(by_severity(self.findings, "error"))


def prepare(
    settings: DataSettings, out: Path, *, input_size: tuple[int, int], track: Track = silent
) -> PrepareSummary:
    """Write the lists, labels, manifest, report and plots into the existing folder `out`.

    `input_size` is the network's (height, width), for which face sizes are reported. The caller stages
    `out`, so that nothing remains after an error.

    Raises DatasetError, with one line per fault, if the folder has errors that `settings.skip_bad` does not
    drop, or if there is nothing to train or validate on.
    """
    decided = decide(settings, track)
    manifest, result = decided.manifest, decided.checked
    _write_lists(manifest, out)
    manifest.write(out / MANIFEST)
    draw_plots(manifest, out, input_size)
    told = report_text(manifest, result, settings, input_size, decided.unlabelled, decided.settled)
    write_text(out / REPORT, told)
    decided.freeze(settings)
    return _summary(decided)


@dataclass(frozen=True, slots=True)
class Decided:
    """The checked pictures with all findings, and the manifest of those in use."""

    checked: Check
    manifest: Manifest
    unlabelled: int
    """Faces of data.unlabelled in train."""
    settled: int
    """Pictures in use that an earlier prepare has dealt."""

    def freeze(self, settings: DataSettings) -> None:
        """Add pictures that are new to the file of data.frozen_val."""
        if settings.frozen_val is None:
            return
        # Read again: another run may have added to it since.
        frozen = read_frozen(settings.frozen_val)
        joined = frozen.joined_by(self.manifest)
        if joined != frozen:
            joined.write(settings.frozen_val)


def decide(settings: DataSettings, track: Track = silent) -> Decided:
    """Check the folders and deal their pictures; nothing is written. Raises as `prepare`."""
    checked = check(settings, track)
    stop_on_errors(_places(settings), checked.findings, skip_bad=settings.skip_bad)
    _require_objects(checked, settings)
    frozen = read_frozen(settings.frozen_val) if settings.frozen_val else None
    dealt = deal(checked, settings, frozen)
    found = (*checked.findings, *dealt.findings(settings), *alike_across_lists(checked, dealt.parts))
    findings = sorted(found, key=sort_key)
    labelled = _manifest(checked, dealt.parts, settings)
    manifest = _completed(labelled, settings)
    more = _objects(manifest) - _objects(labelled)
    return Decided(replace(checked, findings=tuple(findings)), manifest, more.total(), len(dealt.bound))


def _require_objects(result: Check, settings: DataSettings) -> None:
    taught = any(not item.difficult for picture in result.pictures for item in picture.objects)
    if not result.labels or not taught:
        what = f"{_places(settings)}: no usable object in {len(result.pictures)} usable pictures"
        errors = by_severity(result.findings, "error")
        lines = fault_lines(errors, result.findings)
        hint = "annotate some faces that are not difficult, or check data.labels"
        raise DatasetError(what, hint, lines)


def _places(settings: DataSettings) -> str:
    return ", ".join(str(root.root) for root in settings.every_root)


def _manifest(result: Check, parts: Mapping[str, Part], settings: DataSettings) -> Manifest:
    pictures = tuple(
        _entry(picture, parts[picture.name]) for picture in result.pictures if picture.name in parts
    )
    roots = tuple(
        ManifestRoot(root.name, root.root, root.weight, root.aliases) for root in settings.every_root
    )
    return Manifest(result.labels, pictures, settings.roles, roots)


def _completed(manifest: Manifest, settings: DataSettings) -> Manifest:
    """With the faces of data.unlabelled in train."""
    if settings.unlabelled is None:
        return manifest
    return read_unlabelled(settings.unlabelled).added_to(manifest, "train")


def _entry(picture: CheckedPicture, part: Part) -> ManifestPicture:
    return ManifestPicture(
        picture=picture.picture,
        annotation=picture.annotation,
        part=part,
        width=picture.facts.size.upright[1],
        height=picture.facts.size.upright[0],
        sha256=picture.facts.sha256,
        objects=picture.objects,
        root=picture.root,
        phash=picture.facts.phash,
        luma=picture.facts.luma,
    )


def _write_lists(manifest: Manifest, out: Path) -> None:
    parts: tuple[Part, ...] = ("train", "val")
    for part in parts:
        lines = sorted(_line(manifest, picture) for picture in manifest.part(part))
        write_text(out / f"{part}.txt", "".join(f"{line}\n" for line in lines))
    write_labels(out, manifest.labels)


def _line(manifest: Manifest, picture: ManifestPicture) -> str:
    """Picture and annotation below the manifest's folder, as PaddleDetection's lists have them."""
    place = manifest.root(picture).path.resolve().relative_to(manifest.folder)
    return " ".join((place / file).as_posix() for file in (picture.picture, picture.annotation) if file)


def _objects(manifest: Manifest) -> Counter[str]:
    return Counter(item.label for picture in manifest.pictures for item in picture.objects)


def _summary(decided: Decided) -> PrepareSummary:
    manifest, result = decided.manifest, decided.checked
    objects = _objects(manifest)
    return PrepareSummary(
        pictures=len(manifest.pictures),
        train=len(manifest.part("train")),
        val=len(manifest.part("val")),
        objects={label: objects[label] for label in manifest.labels},
        findings=result.findings,
        duplicates=result.duplicates.pairs,
        left_out=sum(finding.code == "val-duplicate" for finding in result.findings),
        unlabelled=decided.unlabelled,
        test=held_out(result),
    )
