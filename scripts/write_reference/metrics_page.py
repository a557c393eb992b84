"""All metrics of the server's /metrics, from the metrics themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from write_reference.language import English, cell, table
from write_reference.server import metrics

TITLE = "Metrics"
SOURCE = "the server's metrics"
HEAD = (
    "`GET /metrics` of the server gives these to Prometheus. With several workers any of them answers for "
    "all: counters and histograms are sums that include workers that have ended, gauges are at most a second "
    "old. [Monitoring](../monitoring.md) has alerts and a dashboard that use them.",
)
KINDS = {
    "counter": "A count since the server's start, which only grows: use `rate()` or `increase()`.",
    "gauge": "A value at this moment.",
    "histogram": "Prometheus adds `_bucket`, `_sum` and `_count` to the name.",
}
LABELS = {
    "bundle": "The first characters of the sha256 of the bundle.",
    "camera": "The request's header `X-Camera`; empty without one, and `other` after 100 names.",
    "code": "The code of the error, as in the answer.",
    "compliant": "`yes` or `no` by the role of the label; `unknown` without a role.",
    "feature": "What is compared with val, such as the brightness of pictures.",
    "label": "A class of the model.",
    "method": "The HTTP method.",
    "model": "The name under which the model is served.",
    "outcome": "What became of it.",
    "route": "The path, without what varies in it.",
    "stage": "`queue`, `decode`, `preprocess`, `inference` or `postprocess`.",
    "status": "The HTTP status.",
    "verdict": "`ok`, `violation` or `uncertain`.",
    "version": "The version in the registry; empty if the model is a plain file.",
    "why": "The policy that chose the picture.",
}


class Family(NamedTuple):
    name: str
    kind: str
    about: str
    labels: tuple[str, ...]


def content(say: English) -> Iterator[str]:
    yield from map(say, HEAD)
    families = _families()
    for kind, words in KINDS.items():
        yield f"## {say(f'{kind.capitalize()}s')}"
        yield say(words)
        yield _family_table(say, [family for family in families if family.kind == kind])
    yield f"## {say('Labels')}"
    used = sorted({label for family in families for label in family.labels})
    yield table(say, ("label", "meaning"), [(f"`{label}`", cell(say(LABELS[label]))) for label in used])


def _family_table(say: English, families: list[Family]) -> str:
    rows = []
    for family in families:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        rows.append((f"`{family.name}`", labels, cell(say(family.about))))
    return table(say, ("name", "labels", "meaning"), rows)


def _families() -> list[Family]:
    """By name, with the suffix that Prometheus shows."""
    made = metrics()
    labels = {name: own for one in made._registry._collector_to_names for name, own in _labels(one)}
    found = []
    for family in made._page.collect():
        suffix = "_total" if family.type == "counter" else ""
        names = labels.get(family.name, getattr(family, "_labelnames", ()))
        found.append(Family(f"{family.name}{suffix}", family.type, f"{family.documentation}.", tuple(names)))
    return sorted(found)


def _labels(collector: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    for family in collector.describe():
        yield family.name, collector._labelnames
