"""An audit of a pipeline's labels: which model, which part, and where the result goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskdet.artefacts import MANIFEST
from maskdet.dataset.manifest import Manifest, ManifestPicture, load_manifest
from maskdet.dataset.unlabelled import Unlabelled, UnlabelledFace, read_unlabelled
from maskdet.detector.bundle import load_bundle
from maskdet.detector.shipped import shipped_model, ships_model
from maskdet.judging.audit.audit import Part, audit
from maskdet.judging.audit.report import check_replaceable, write_audit
from maskdet.judging.audit.suspects import AuditResult, Suspect
from maskdet.pipeline.audit_proposals import propose_suspects
from maskdet.pipeline.places import EXPORTED, model_name
from maskdet.pipeline.references.models import model_of
from maskdet.pipeline.running.outcome import RunResult
from maskdet.pipeline.running.stage import Context
from maskdet.serving.inbox import open_inbox
from maskdet.system.files import staged_folder

SURE: Final = 0.6
"""Score from which a model's word is enough not to learn a place as background."""


def auditing_model(context: Context, named: Path | None) -> Path:
    """The named model, else the one that the pipeline exported, else the shipped one.

    Raises StageError if there is none.
    """
    if named is None and ships_model() and not (context.folder / EXPORTED).is_file():
        return shipped_model()
    return model_of(context, named)


@dataclass(slots=True)
class LabelAudit:
    """An audit to be made once the data is prepared; see pipeline.run.Then."""

    model: Path
    part: Part
    most: int
    inbox: Path | None = None
    """Where suspects are proposed for review, if anywhere."""
    unlabelled: Path | None = None
    """The file of data.unlabelled that gets the missing labels of train, if any."""
    out: Path | None = None
    """By default audit-<`model_name`> beside the stages' folders."""
    result: AuditResult | None = None
    proposed: int = 0
    """Pictures that were put into the inbox."""
    noted: int = 0
    """Faces that were added to `unlabelled`."""

    def __call__(self, context: Context, result: RunResult) -> None:
        if result.error is not None:
            return
        manifest = load_manifest(context.path("prepare", MANIFEST))
        bundle = load_bundle(self.model)
        self.out = self.out or context.folder / f"audit-{model_name(self.model)}"
        check_replaceable(self.out)
        self.result = audit(bundle, manifest, part=self.part, most=self.most, track=context.track)
        with staged_folder(self.out) as aside:
            write_audit(self.result, manifest, aside, self.out, context.track)
        if self.unlabelled is not None:
            self.noted = _note(self.result.missing, manifest, self.unlabelled)
        if self.inbox is not None:
            box = open_inbox(self.inbox, context.pipeline.serve)
            self.proposed = propose_suspects(self.result, manifest, bundle, box, context.track)


def _note(missing: Iterable[Suspect], manifest: Manifest, file: Path) -> int:
    """How many of the faces were not in the file yet."""
    pictures = {manifest.name(picture): picture for picture in manifest.part("train")}
    known = read_unlabelled(file) if file.exists() else Unlabelled()
    joined = known.joined_by(
        _face(suspect, pictures[suspect.picture])
        for suspect in missing
        if suspect.score >= SURE and suspect.picture in pictures
    )
    joined.write(file)
    return len(joined.faces) - len(known.faces)


def _face(suspect: Suspect, picture: ManifestPicture) -> UnlabelledFace:
    left, top, right, bottom = (round(edge, 1) for edge in suspect.said_box)
    box, score = (left, top, right, bottom), round(suspect.score, 3)
    return UnlabelledFace(picture.root, picture.picture, picture.sha256, suspect.said, box, score)
