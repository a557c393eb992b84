"""An audit of a pipeline's labels: which model, which part, and where the result goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maskdet.artefacts import MANIFEST
from maskdet.dataset.manifest import load_manifest
from maskdet.detector.bundle import load_bundle
from maskdet.detector.shipped import shipped_model, ships_model
from maskdet.files import staged_folder
from maskdet.inbox.inbox import Inbox
from maskdet.judging.audit.audit import Part, audit
from maskdet.judging.audit.report import check_replaceable, write_audit
from maskdet.judging.audit.suspects import AuditResult
from maskdet.pipeline.audit_proposals import propose_suspects
from maskdet.pipeline.models import model_of
from maskdet.pipeline.outcome import RunResult
from maskdet.pipeline.places import EXPORTED
from maskdet.pipeline.stage import Context


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
    out: Path | None = None
    """By default audit-<the model's name> beside the stages' folders."""
    result: AuditResult | None = None
    proposed: int = 0
    """Pictures that were put into the inbox."""

    def __call__(self, context: Context, result: RunResult) -> None:
        if result.error is not None:
            return
        manifest = load_manifest(context.path("prepare", MANIFEST))
        bundle = load_bundle(self.model)
        self.out = self.out or context.folder / f"audit-{self.model.stem}"
        check_replaceable(self.out)
        self.result = audit(bundle, manifest, part=self.part, most=self.most, track=context.track)
        with staged_folder(self.out) as aside:
            write_audit(self.result, manifest, aside, self.out, context.track)
        if self.inbox is not None:
            box = Inbox(self.inbox)
            self.proposed = propose_suspects(self.result, manifest, bundle, box, context.track)
