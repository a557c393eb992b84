"""Judging a challenger: both models on the pictures of val that neither was trained on, then every rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.detector.bundle import load_bundle
from maskdet.evaluation.intervals import Weights, draw_resamples
from maskdet.evaluation.ranking import Curve
from maskdet.gates.absolute import Absolute
from maskdet.gates.cost import Cost, parity_ruling, wants_time
from maskdet.gates.deciding import Deciding, deciding_pictures
from maskdet.gates.latency import time_in_turn
from maskdet.gates.lineage import LeftOut, Lineage, known_pictures, lineage_of
from maskdet.gates.needs import Needs
from maskdet.gates.relative import Pair, comparisons
from maskdet.gates.report import Contestant, GateReport
from maskdet.gates.ruling import Measure, Ruling, Verdict
from maskdet.gates.settings import GateSettings
from maskdet.gates.side import Side
from maskdet.progress import Track, silent
from maskdet.registry.records import PictureRecord
from maskdet.system.files import sha256_file


@dataclass(frozen=True, slots=True)
class Contender:
    """A model by its name in the report, and its file. parity: what export wrote beside it, if anything;
    pictures: what it was trained and validated on, None if only the bundle itself can tell.
    """

    name: str
    model: Path
    parity: Mapping[str, Any] | None = None
    pictures: tuple[PictureRecord, ...] | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no champion: because the challenger is the `first`, or it cannot be found, and why."""

    why: str
    first: bool

    @property
    def verdict(self) -> Verdict:
        return "no champion" if self.first else "unmeasured"


@dataclass(frozen=True, slots=True)
class GateJob:
    """manifest: the file that `prepare` wrote; its val part is what the models are compared on."""

    challenger: Contender
    champion: Contender | Absent
    manifest: Path
    settings: GateSettings


def judge(job: GateJob, *, track: Track = silent) -> GateReport:
    """Measure every rule. A refusal is in the report, see `GateReport.require`.

    Raises BundleError or RegistryError for a damaged model or lineage, and UsageError for unknown labels or
    slices in the settings.
    """
    return _Judge(job, track).report()


class _Judge:
    def __init__(self, job: GateJob, track: Track) -> None:
        self._job, self._track = job, track
        self._digest = sha256_file(job.manifest)
        whole = load_manifest(job.manifest)
        self._bundles = {who: load_bundle(each.model) for who, each in _contenders(job).items()}
        self._lineages = {who: self._lineage(whole, who) for who in self._bundles}
        self._left_out = known_pictures(whole, self._lineages)
        self._manifest = _without(whole, self._left_out)
        val = self._manifest.part("val")
        faces = sum(not face.difficult for picture in val for face in picture.objects)
        self._needs = Needs(job.settings.counts, len(val), faces)

    def report(self) -> GateReport:
        if not self._needs.faces:
            return self._report({}, [_val_ruling(self._needs)])
        weights = draw_resamples(self._needs.pictures)
        sides = {
            who: Side.of(bundle, self._manifest, weights, track=self._track)
            for who, bundle in self._bundles.items()
        }
        return self._report(sides, self._rulings(sides["challenger"], sides.get("champion"), weights))

    def _report(self, sides: Mapping[str, Side], rulings: Iterable[Ruling]) -> GateReport:
        challenger, champion = sides.get("challenger"), sides.get("champion")
        regressions: tuple[Deciding, ...] = ()
        gains: tuple[Deciding, ...] = ()
        if challenger and champion:
            regressions, gains = deciding_pictures(challenger, champion, self._manifest)
        contestants = {who: self._contestant(who, sides.get(who)) for who in self._bundles}
        return GateReport(
            challenger=contestants["challenger"],
            champion=contestants.get("champion"),
            rulings=tuple(rulings),
            pictures=self._needs.pictures,
            faces=self._needs.faces,
            left_out=self._left_out,
            notes=tuple(self._notes()),
            regressions=regressions,
            gains=gains,
            manifest_sha256=self._digest,
        )

    def _rulings(self, challenger: Side, champion: Side | None, weights: Weights) -> Iterator[Ruling]:
        settings, absent = self._job.settings, self._absent()
        cost = self._cost()
        yield _val_ruling(self._needs)
        yield from Absolute(challenger, self._needs, weights, settings).rulings()
        yield from cost.absolute()
        if settings.parity:
            yield parity_ruling(self._job.challenger.parity, self._bundles["challenger"].sha256)
        for each in comparisons(settings, champion or challenger):
            if champion is not None:
                yield each.ruling(Pair(challenger, champion, weights, self._needs))
            elif absent is not None:
                yield each.without(*absent)
        yield from cost.relative(absent)

    def _absent(self) -> tuple[Verdict, str] | None:
        champion = self._job.champion
        return (champion.verdict, champion.why) if isinstance(champion, Absent) else None

    def _cost(self) -> Cost:
        bundles, settings = list(self._bundles.values()), self._job.settings
        times: list[Curve] = []
        if wants_time(settings, len(bundles) > 1):
            times = time_in_turn(bundles, self._manifest, settings.latency_pictures, track=self._track)
        return Cost([len(bundle.model) for bundle in bundles], times, settings)

    def _lineage(self, whole: Manifest, who: str) -> Lineage | None:
        pictures = _contenders(self._job)[who].pictures
        if pictures is not None:
            return lineage_of(pictures)
        trained_here = self._bundles[who].meta.manifest_sha256 == whole.data_hash
        return lineage_of(whole.pictures) if trained_here else None

    def _contestant(self, who: str, side: Side | None) -> Contestant:
        bundle = self._bundles[who]
        return Contestant(
            name=_contenders(self._job)[who].name,
            sha256=bundle.sha256,
            size=len(bundle.model),
            lineage_known=self._lineages[who] is not None,
            figures=side.judged.summary() if side else {},
        )

    def _notes(self) -> Iterator[str]:
        for who, lineage in self._lineages.items():
            if lineage is None:
                yield f"it is not known what the {who} was trained on: it may have seen pictures of val"
        for who, count in Counter(each.who for each in self._left_out).items():
            yield f"{count} pictures of val are left out: the {who} was trained on them or on look-alikes"
        if isinstance(self._job.champion, Absent):
            yield self._job.champion.why


def _contenders(job: GateJob) -> dict[str, Contender]:
    champion = {} if isinstance(job.champion, Absent) else {"champion": job.champion}
    return {"challenger": job.challenger, **champion}


def _without(manifest: Manifest, left_out: tuple[LeftOut, ...]) -> Manifest:
    names = {each.picture for each in left_out}
    kept = tuple(p for p in manifest.pictures if p.part == "val" and manifest.name(p) not in names)
    return replace(manifest, pictures=kept)


def _val_ruling(needs: Needs) -> Ruling:
    counts, lacking = needs.counts, needs.lacking()
    rule = f"val holds at least {counts.pictures} pictures and {counts.faces} faces"
    measure = Measure(None, None, needs.pictures, "pictures")
    return Ruling("counts", rule, "unmeasured" if lacking else "pass", measure, why=lacking)
