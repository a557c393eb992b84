"""The web pages at /, /review and /monitor, their files under /web/, and GET /v1/page with their data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

from maskdet import __version__
from maskdet.detector.captions import class_colour
from maskdet.detector.outline import Colour, class_line
from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.serving.engine.served_model import ServedModel, bundle_id
from maskdet.serving.http.keys import PAGE_FILES
from maskdet.serving.refusals import UnknownRoute
from maskdet.serving.routes.native import json_response
from maskdet.serving.routes.schemas import Schema
from maskdet.serving.service import Service
from maskdet.serving.settings import ServeSettings

FOLDER = Path(__file__).parents[1] / "web"

# Not by mimetypes: some systems call .js text/plain, and then no browser would run it.
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
}

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS = {
    # The files keep their names from version to version, so a browser checks whether its copy is current.
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

OLD_GREETING = "Welcome to PaddlePaddle"
"""What LearnPaddle's service returns at /; PaddleHub's clients accept any text."""


class PageModel(Schema):
    """A model as shown on the page. By label: `colours`, as #rrggbb; `inks`, legible on that colour, also
    used for the gaps of its line; `dashes`, the lengths of dash and gap in line widths; `recall` at its
    thresholds on val, as far as the bundle states it.
    """

    name: str
    bundle: str
    labels: list[str]
    colours: list[str]
    inks: list[str]
    dashes: list[tuple[float, ...]]
    thresholds: dict[str, float]
    threshold_policy: ThresholdPolicy
    recall: dict[str, float]
    violation_labels: list[str]
    unknown_labels: list[str]


class PageConfig(Schema):
    """The server's data for the page."""

    version: str
    inbox: bool
    captures: bool
    """Whether pictures may be kept for review."""
    max_upload_bytes: int
    uncertain_band: float
    models: list[PageModel]


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file as sent. Its ETag changes with its bytes."""

    data: bytes
    media_type: str
    tag: str

    def answer(self, request: Request) -> Response:
        """The file, or 304 if the browser has it."""
        headers = {**HEADERS, "etag": self.tag}
        if self.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(self.data, headers={**headers, "content-type": self.media_type})


def page_routes(service: Service) -> APIRouter:
    """The routes; all files are read once, so no path that a client sends reaches the disk."""
    router = APIRouter(include_in_schema=False)
    found = dict(read_files(FOLDER))
    index, review, monitor = (found.pop(name) for name in ("index.html", "review.html", "monitor.html"))

    @router.api_route("/", methods=["GET", "HEAD"])
    async def home(request: Request) -> Response:
        # Only browsers ask for text/html; programs accept anything.
        if "text/html" not in request.headers.get("accept", ""):
            return _greeting(service.settings)
        response = index.answer(request)
        response.headers["vary"] = "accept"
        return response

    @router.api_route("/review", methods=["GET", "HEAD"])
    async def review_page(request: Request) -> Response:
        return review.answer(request)

    @router.api_route("/monitor", methods=["GET", "HEAD"])
    async def monitor_page(request: Request) -> Response:
        return monitor.answer(request)

    @router.api_route(f"{PAGE_FILES}{{path:path}}", methods=["GET", "HEAD"])
    async def file(path: str, request: Request) -> Response:
        if path not in found:
            raise UnknownRoute("the page has no such file", "see / for the page")
        return found[path].answer(request)

    @router.get("/v1/page")
    async def config() -> Response:
        return json_response(page_config(service).model_dump_json())

    return router


def page_config(service: Service) -> PageConfig:
    """The response of GET /v1/page."""
    settings = service.settings
    return PageConfig(
        version=__version__,
        inbox=settings.inbox is not None,
        captures=settings.capture.active,
        max_upload_bytes=settings.max_upload_bytes,
        uncertain_band=settings.uncertain_band,
        models=[_page_model(model) for model in service.engine.models.values()],
    )


def read_files(folder: Path) -> Iterator[tuple[str, PageFile]]:
    """The page's files below a folder, each by its path there."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in MEDIA_TYPES:
            data = path.read_bytes()
            tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
            yield path.relative_to(folder).as_posix(), PageFile(data, MEDIA_TYPES[path.suffix], tag)


def _greeting(settings: ServeSettings) -> Response:
    text = OLD_GREETING if "learnpaddle" in settings.dialects else f"maskdet {__version__}: see /docs\n"
    headers = {"vary": "accept", "link": '</docs>; rel="service-doc", </openapi.json>; rel="service-desc"'}
    return Response(text, headers={**headers, "content-type": "text/html; charset=utf-8"})


def _page_model(model: ServedModel) -> PageModel:
    labels = model.meta.labels
    lines = [class_line(class_colour(labels, number), number) for number in range(len(labels))]
    return PageModel(
        name=model.name,
        bundle=bundle_id(model),
        labels=list(labels),
        colours=[_hexadecimal(line.colour) for line in lines],
        inks=[_hexadecimal(line.gap) for line in lines],
        dashes=[line.dash for line in lines],
        thresholds=model.meta.thresholds,
        threshold_policy=model.meta.threshold_policy,
        recall=model.meta.own_recall,
        violation_labels=sorted(model.rule.violations),
        unknown_labels=sorted(model.rule.unknown),
    )


def _hexadecimal(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
