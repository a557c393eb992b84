"""Shared by several dialects: JSON as Flask writes it, open CORS, the hub's labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from maskdet.errors import MaskdetError
from maskdet.serving.engine.served_model import PictureResult, ServedModel
from maskdet.serving.http.cors import ASKED_HEADERS, OPEN_CORS
from maskdet.serving.http.json_writing import json_text
from maskdet.serving.http.problems import kind_of
from maskdet.serving.refusals import BadOption, Busy
from maskdet.serving.settings import ServeSettings

PREFLIGHT = {
    **OPEN_CORS,
    "access-control-allow-methods": "POST, OPTIONS",
    "access-control-allow-headers": ", ".join(ASKED_HEADERS),
    "access-control-max-age": "600",
}


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Compact JSON with sorted keys and a newline, as Flask's jsonify writes it."""
    text = json_text(value, sort_keys=True, separators=(",", ":"))
    return Response(text + "\n", status_code=status, media_type="application/json", headers=headers)


def refusal_reply(
    error: Exception, value: Any, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An error in a dialect's format: with its own HTTP status, or another. A busy server sends 503."""
    busy = isinstance(error, Busy)
    after = {"retry-after": str(error.retry_after_seconds)} if isinstance(error, Busy) else {}
    own = kind_of(error).status
    return json_reply(value, own if busy or status is None else status, {**(headers or {}), **after})


def says(error: Exception) -> str:
    """An error's text for a client; an internal one reveals nothing about the server."""
    if isinstance(error, MaskdetError) and (kind_of(error).status < 500 or isinstance(error, Busy)):
        return error.what
    return "the server failed"


def threshold_option(value: Any, name: str) -> float | None:
    """A number from 0 to 1, or None. Raises BadOption."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadOption(f"{name} is not a number from 0 to 1", "leave it out for the model's own")
    return float(value)


def hub_labels(model: ServedModel, settings: ServeSettings) -> list[str]:
    """What the hub dialects call each class, by class id. They have two cases: unknown is NO MASK."""
    return [
        settings.hub_labels.get(label, "MASK" if model.rule.keeps(label) else "NO MASK")
        for label in model.meta.labels
    ]


def class_scores(result: PictureResult) -> list[float]:
    """The best score of each class in the picture, by class id; 0 for a class that was not found.

    This is a detector's stand-in for a classification of the whole picture.
    """
    scores = [0.0] * len(result.model.meta.labels)
    rows = zip(result.candidates.class_ids.tolist(), result.candidates.scores.tolist(), strict=True)
    for class_id, score in rows:
        scores[class_id] = max(scores[class_id], score)
    return scores


def add_preflight(router: APIRouter, path: str) -> None:
    """Answer a browser's CORS preflight for a path. Called last: the first route of a path tells a client
    with a wrong method which one it takes.
    """

    @router.options(path, include_in_schema=False)
    async def preflight(request: Request) -> Response:
        del request
        return Response(headers=PREFLIGHT)
