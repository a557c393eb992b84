"""From an exported challenger to the champion's seat: gates, registry, promotion, report.

Each step takes effect in one rename and is skipped if it was done, so the next job completes one that was
killed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from maskdet.artefacts import BUNDLE, GATES, MANIFEST, document_if_any
from maskdet.errors import StageError
from maskdet.pipeline.chain import report_chain
from maskdet.pipeline.ci.reports import CI, DECIDING, show_decision, write_reports
from maskdet.pipeline.ci.seat import CHALLENGER, Seat
from maskdet.pipeline.references.models import registry_of
from maskdet.pipeline.release.gating import FOLDER, Gating, named_champion
from maskdet.pipeline.release.promotion import tell_trackers
from maskdet.pipeline.release.registration import register_run
from maskdet.pipeline.running.cache import RELEASE
from maskdet.pipeline.running.outcome import RunResult
from maskdet.pipeline.running.run import OnStart
from maskdet.pipeline.running.stage import Context
from maskdet.registry.reference import CHAMPION
from maskdet.registry.registry import Registry
from maskdet.registry.version import Version
from maskdet.reporting.delivery import Delivery, Fate
from maskdet.system.asides import sweep
from maskdet.system.files import sha256_file, sha256_if_any, write_json

JUDGED = "judged.json"
RESULT = "result.json"


@dataclass(slots=True)
class Delivering:
    """Deliver what the chain exported; see pipeline.run.Then. `delivery` is how it ended.

    promote: whether a challenger that passes becomes the champion; on_start: called before each step.
    Raises like `Gating`, `register_run` and `Registry.set_alias`.
    """

    promote: bool
    on_start: OnStart = lambda _step, _reason: None
    delivery: Delivery | None = field(default=None, init=False)

    def __call__(self, context: Context, result: RunResult) -> None:
        report_chain(context, result)
        if result.error is not None:
            return
        if not context.path("export", BUNDLE).is_file():
            raise StageError(
                f"{context.path('export', BUNDLE)} is missing", "set export.onnx: true to deliver a model"
            )
        for folder in (context.path(CI), context.path(CI, DECIDING)):
            sweep(folder)
        work = _Work.begin(context, self.promote, self.on_start)
        self.delivery = work.settled()
        if self.delivery is None:
            self.delivery = work.deliver(result)
        else:
            show_decision(context)


@dataclass(frozen=True, slots=True)
class _Work:
    """One challenger on its way. `bundle` and `fingerprint` identify it and what it is compared with."""

    context: Context
    promote: bool
    on_start: OnStart
    registry: Registry
    seat: Seat
    bundle: str
    fingerprint: str

    @classmethod
    def begin(cls, context: Context, promote: bool, on_start: OnStart) -> _Work:
        registry = registry_of(context)
        seat = Seat.of(registry, context.pipeline.name)
        bundle = sha256_file(context.path("export", BUNDLE))
        told = {
            "bundle": bundle,
            "champion": seat.bundle,
            "named champion": named_champion(context),
            "gates": context.pipeline.gates.model_dump(mode="json"),
            "manifest": sha256_file(context.path("prepare", MANIFEST)),
            "maskdet": RELEASE,
        }
        fingerprint = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        return cls(context, promote, on_start, registry, seat, bundle, fingerprint)

    def settled(self) -> Delivery | None:
        """How the last job ended, if there is nothing to add to it."""
        last = self._last()
        if last is None or last.bundle != self.bundle or not self._is_registered(last.version):
            return None
        holds = self.seat.bundle == self.bundle and self.seat.in_place
        away = not holds and self.seat.stepped_down(self.bundle)
        same = last.fingerprint == self.fingerprint and not (last.fate is Fate.PASSED and self.promote)
        if holds or away or (same and last.fate is not Fate.PROMOTED):
            fate = Fate.PROMOTED if holds else Fate.STEPPED_DOWN if away else last.fate
            champion = last.champion if holds else self.seat.number
            return replace(last, fate=fate, champion=champion, unchanged=True)
        return None

    def _is_registered(self, number: int) -> bool:
        """Whether that version is this bundle: the registry may have been lost since, or be another one."""
        model = self.context.pipeline.name
        if number not in self.registry.layout(model).numbers():
            return False
        return self.registry.version(model, number).record.bundle == self.bundle

    def deliver(self, result: RunResult) -> Delivery:
        """Every step that is left, and the reports."""
        if self.seat.champion is not None and self.seat.bundle == self.bundle:
            # The job that promoted it was killed before the alias moved, or before it could say so.
            self._promote(self.seat.champion)
            delivery = self._ended(Fate.PROMOTED, self.seat.champion, self.seat.before, ())
        else:
            reasons = self._judged(result)
            version = self._registered(reasons)
            delivery = self._ended(self._fate(version, reasons), version, self.seat.number, reasons)
        self.on_start("report", "")
        write_reports(self.context, self.registry, delivery, self._gates())
        write_json(self.context.path(CI, RESULT), delivery.to_json())
        return delivery

    def _judged(self, result: RunResult) -> tuple[str, ...]:
        """The reasons of the gates against it; what was judged before is not judged again."""
        known = _read(self.context, JUDGED)
        if known.get("fingerprint") == self.fingerprint and self._gates() is not None:
            return tuple(known["reasons"])
        champion = self.seat.champion
        # By its number: the alias may move while the gates compare.
        named = self.context.pipeline.gates.champion or (Path(champion.reference) if champion else None)
        self.on_start("gates", f"against {named}" if named else "the first challenger")
        gating = Gating(None, named, self.context.path(CI, DECIDING))
        gating(self.context, result)
        reasons = () if gating.report is None else tuple(gating.report.reasons())
        told = {
            "fingerprint": self.fingerprint,
            "reasons": list(reasons),
            "gates": sha256_file(self.context.path(FOLDER, GATES)),
        }
        write_json(self.context.path(CI, JUDGED), told)
        return reasons

    def _gates(self) -> Path | None:
        """The report of the gates in a job, unless `maskdet gates` has judged another model since."""
        path = self.context.path(FOLDER, GATES)
        return path if sha256_if_any(path) == _read(self.context, JUDGED).get("gates") else None

    def _registered(self, reasons: tuple[str, ...]) -> Version:
        self.on_start("register", self.context.pipeline.name)
        version = register_run(self.context, self.registry, gates=self._gates())
        # A version that was there already holds the verdict of its first job.
        self.registry.note_verdict(
            version.model, version.number, reasons=reasons, fingerprint=self.fingerprint
        )
        self.registry.set_alias(version.model, CHALLENGER, version.number, why="maskdet run --ci")
        self.context.say(f"{version.reference} is registered as {CHALLENGER}")
        return version

    def _fate(self, version: Version, reasons: tuple[str, ...]) -> Fate:
        if reasons:
            return Fate.REFUSED
        if self.seat.stepped_down(self.bundle):
            return Fate.STEPPED_DOWN
        if not self.promote:
            return Fate.PASSED
        self.on_start("promote", version.reference)
        self._promote(version)
        return Fate.PROMOTED

    def _promote(self, version: Version) -> None:
        move = self.registry.set_alias(
            version.model,
            CHAMPION,
            version.number,
            why="passed the gates in maskdet run --ci",
            expected=self.seat.number or 0,
        )
        self.context.say(f"{version.model}: {move.describe()}")
        for trouble in tell_trackers(self.context, version, CHAMPION):
            self.context.say(trouble)

    def _ended(
        self, fate: Fate, version: Version, champion: int | None, reasons: tuple[str, ...]
    ) -> Delivery:
        return Delivery(fate, version.model, version.number, champion, self.bundle, self.fingerprint, reasons)

    def _last(self) -> Delivery | None:
        try:
            return Delivery.from_json(_read(self.context, RESULT))
        except (ValueError, KeyError, TypeError):
            return None


def _read(context: Context, name: str) -> dict[str, Any]:
    """A record of an earlier job; empty if there is none, or if it is damaged and so proves nothing."""
    try:
        return document_if_any(context.path(CI, name), context.command("run", "--ci")) or {}
    except StageError:
        return {}
