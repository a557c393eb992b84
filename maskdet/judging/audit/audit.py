"""The verb: run a model over labelled pictures, and rank the labels that it contradicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.detector.bundle import Bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_reduced
from maskdet.judging.audit.certainty import Certainty
from maskdet.judging.audit.disputes import KINDS, Comparison, Dispute, compare
from maskdet.judging.audit.suspects import AuditResult, Suspect
from maskdet.judging.class_match import ClassMatch, match_classes
from maskdet.progress import Track, silent
from maskdet.system.flow import run_in_order
from maskdet.system.machine import core_count
from maskdet.types import FloatArray, GroundTruth, box_of

Part = Literal["train", "val", "all"]


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """A picture, by its name in the data set, beside what the model says about it."""

    name: str
    part: str
    truth: GroundTruth
    comparison: Comparison


def audit(bundle: Bundle, manifest: Manifest, *, part: Part, most: int, track: Track = silent) -> AuditResult:
    """Compare the model's answer with the labels of a part; the `most` suspicious ones are listed.

    Raises BundleError if no class of the bundle is one of the data set, PictureError for a picture that is
    gone or damaged.
    """
    match = match_classes(manifest, bundle.meta.labels, bundle.meta.roles)
    pictures = manifest.pictures if part == "all" else manifest.part(part)
    compared = list(track(_compare_all(bundle, manifest, match, pictures), "auditing", len(pictures)))
    certainty = Certainty(pair for one in compared for pair in one.comparison.confirmed)
    suspects = [
        suspect
        for one in compared
        for dispute in one.comparison.disputes
        if (suspect := _suspect(dispute, one, match, certainty)) is not None
    ]
    suspects.sort(key=lambda one: (-one.suspicion, one.picture))
    kinds = Counter(suspect.kind for suspect in suspects)
    return AuditResult(
        model=f"{bundle.meta.name} ({bundle.sha256[:12]})",
        pictures=len(pictures),
        labels=sum(len(one.truth) for one in compared),
        disputed={kind: kinds[kind] for kind in KINDS},
        suspects=tuple(suspects[:most]),
        missing=tuple(suspect for suspect in suspects if suspect.kind == "missing"),
        notes=match.notes,
    )


def _compare_all(
    bundle: Bundle, manifest: Manifest, match: ClassMatch, pictures: Sequence[ManifestPicture]
) -> Iterator[_Compared]:
    # One core per picture is faster than all cores on one after another.
    detector = Detector(bundle, threads=1)
    thresholds = _thresholds(match, bundle)
    tasks = (partial(_compare, detector, manifest, match, thresholds, picture) for picture in pictures)
    with closing(run_in_order(tasks, core_count())) as compared:
        yield from compared


def _compare(
    detector: Detector,
    manifest: Manifest,
    match: ClassMatch,
    thresholds: FloatArray,
    picture: ManifestPicture,
) -> _Compared:
    decoded = read_reduced(manifest.path(picture), at_least=detector.meta.input_size)
    found = match.remapped(detector.detect(decoded.pixels, decoded.size))
    truth = manifest.ground_truth(picture)
    return _Compared(manifest.name(picture), picture.part, truth, compare(truth, found, thresholds))


def _thresholds(match: ClassMatch, bundle: Bundle) -> FloatArray:
    """[C] by the ids of `match.labels`; 1 for the data's classes that the model lacks."""
    known = match.rename(bundle.meta.thresholds)
    return np.array([known.get(label, 1.0) for label in match.labels], np.float32)


def _suspect(
    dispute: Dispute, compared: _Compared, match: ClassMatch, certainty: Certainty
) -> Suspect | None:
    """None where the model could not have said what the label says, or says what no label can."""
    truth, said = compared.truth, compared.comparison.answer
    said_id, score = int(said.class_ids[dispute.said]), float(said.scores[dispute.said])
    label_id = None if dispute.truth is None else int(truth.class_ids[dispute.truth])
    label = None if label_id is None else match.labels[label_id]
    partners = match.meanings.partners
    if label is not None and (partners[label] is None or match.labels[said_id] not in partners):
        return None
    return Suspect(
        kind=dispute.kind,
        suspicion=certainty.suspicion(dispute, said_id, score, label_id),
        picture=compared.name,
        part=compared.part,
        label=label,
        label_box=None if dispute.truth is None else box_of(truth.boxes[dispute.truth].tolist()),
        said=match.labels[said_id],
        said_box=box_of(said.boxes[dispute.said].tolist()),
        score=score,
        row=dispute.truth,
    )
