"""GET /v1/monitor: what the server has seen by hour, camera and version, and what has drifted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from maskdet.detector.profile import LABEL
from maskdet.drift.comparison import FeatureDrift
from maskdet.drift.history import worst
from maskdet.drift.hour import SECONDS
from maskdet.drift.psi import LIMIT
from maskdet.drift.tally import OUTCOMES, Tally
from maskdet.serving.engine.monitor import WRITE_SECONDS, Monitor
from maskdet.serving.http.inputs import bad_option
from maskdet.serving.http.problems import ProblemBody
from maskdet.serving.refusals import BadOption, UnknownModel
from maskdet.serving.routes.monitor_schemas import (
    CameraBody,
    FeatureBody,
    HourBody,
    MonitorAnswer,
    MonitorOptions,
    SwapBody,
    VerdictCounts,
    VersionBody,
)
from maskdet.serving.routes.native import json_response
from maskdet.serving.service import ByHand, Service

HELP = """Counts by hour of what one model saw, and its drift: the population stability index of each feature
between the model's own answers on val and what it sees, where there are enough samples to tell.

    curl "http://127.0.0.1:8866/v1/monitor?hours=168&camera=gate-1"
"""


def monitor_routes(service: Service) -> APIRouter:
    """GET /v1/monitor."""
    router = APIRouter(prefix="/v1", tags=["operation"], route_class=ByHand)

    @router.get(
        "/monitor",
        summary="What the server has seen, and what has drifted",
        description=HELP,
        response_model=MonitorAnswer,
        responses={status: {"model": ProblemBody} for status in (404, 422)},
        openapi_extra={"parameters": _parameters()},
    )
    async def monitor(request: Request) -> Response:
        try:
            options = MonitorOptions.model_validate(dict(request.query_params))
        except ValidationError as error:
            raise bad_option(error, MonitorOptions) from error
        name, version = _shown(service, options)
        # Hours are read from the disk, and many comparisons take a while.
        text = await service.unpacked(
            lambda: _View(service.engine.monitor, service.engine.versions(), options, name, version).text(),
            heavy=True,
        )
        return json_response(text)

    return router


def _shown(service: Service, options: MonitorOptions) -> tuple[str, str]:
    serving = service.engine.versions()
    name = options.model or next(iter(serving))
    if name not in serving:
        raise UnknownModel(f"there is no model {name[:80]!r}", f"loaded models: {', '.join(serving)}")
    return name, options.version or serving[name]


class _View:
    """One model's history as asked for. Raises BadOption for a version that the model never had."""

    def __init__(
        self, monitor: Monitor, serving: dict[str, str], options: MonitorOptions, name: str, version: str
    ) -> None:
        self._monitor = monitor
        self._serving = serving
        self._name = name
        self._version = version
        self._camera = options.camera
        self._history = monitor.history(options.hours)
        known = self._history.versions.get(version)
        if known is None or known.model != name:
            raise BadOption(
                f"version: {name} has no version {version[:40]!r} here", "leave it out for the present one"
            )
        self._known = known

    def text(self) -> str:
        """The response as JSON."""
        history, profile = self._history, self._known.profile
        seen = history.tally(self._version, camera=self._camera)
        drift = history.drift(self._version, LIMIT, camera=self._camera)
        return MonitorAnswer(
            model=self._name,
            models=list(self._serving),
            version=self._version,
            since=history.hours.start * SECONDS,
            until=history.until,
            limit=LIMIT,
            kept=self._monitor.kept,
            delay_seconds=WRITE_SECONDS,
            hours=list(self._hours()),
            versions=list(self._versions()),
            cameras=list(self._cameras()),
            features=[self._feature(one, seen) for one in drift],
            swaps=[
                SwapBody(at=swap.at, old=swap.old, new=swap.new)
                for swap in history.swaps()
                if swap.model == self._name
            ],
            own=VerdictCounts.model_validate(seen.verdicts),
            val=None if profile is None else VerdictCounts.model_validate(profile.verdicts),
        ).model_dump_json()

    def _used(self) -> list[str]:
        """The model's versions that answered, the latest last, and the present one."""
        history = self._history
        used = [one for one in history.used() if history.versions[one].model == self._name]
        present = self._serving[self._name]
        return used if present in used else [*used, present]

    def _hours(self) -> Iterator[HourBody]:
        used = self._used()
        for hour, counted in sorted(self._history.found.items()):
            tallies = {one: self._history.tally(one, camera=self._camera, hour=hour) for one in used}
            busiest = max(used, key=lambda one: tallies[one].pictures)
            drift = self._history.drift(busiest, LIMIT, camera=self._camera, hour=hour)
            yield HourBody(
                start=hour * SECONDS,
                requests=counted.requests,
                faults=counted.faults,
                drift={one.feature: one.verdict for one in drift if one.samples},
                **{name: sum(tally.outcome(name) for tally in tallies.values()) for name in OUTCOMES},
            )

    def _versions(self) -> Iterator[VersionBody]:
        history = self._history
        for one in self._used():
            yield VersionBody(
                version=one,
                since=history.versions[one].since,
                answering=one == self._serving[self._name],
                reference=history.versions[one].profile is not None,
                drift=worst(history.drift(one, LIMIT, camera=self._camera)),
                **_outcomes(history.tally(one, camera=self._camera)),
            )

    def _cameras(self) -> Iterator[CameraBody]:
        for camera in self._history.cameras(self._version):
            yield CameraBody(
                camera=camera,
                drift=worst(self._history.drift(self._version, LIMIT, camera=camera)),
                **_outcomes(self._history.tally(self._version, camera=camera)),
            )

    def _feature(self, one: FeatureDrift, seen: Tally) -> FeatureBody:
        profile = self._known.profile
        return FeatureBody(
            feature=one.feature,
            psi=one.psi,
            chance=one.chance,
            samples=one.samples,
            reference=one.reference,
            least=one.least,
            drift=one.verdict,
            edges=list(self._known.bins.edges[one.feature]),
            labels=list(self._known.bins.labels) if one.feature == LABEL else [],
            seen=seen.counts[one.feature],
            expected=list(profile.features[one.feature].counts) if profile else [],
        )


def _outcomes(tally: Tally) -> dict[str, int]:
    return {name: tally.outcome(name) for name in OUTCOMES}


def _parameters() -> list[dict[str, Any]]:
    """The query is read by hand, so it is documented by hand too."""
    schemas = MonitorOptions.model_json_schema()["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": schema} for name, schema in schemas.items()
    ]
