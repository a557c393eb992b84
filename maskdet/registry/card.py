"""A version's model card: Markdown for people, with its figures as YAML in front for model hubs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import yaml

from maskdet.detector.settings import BundleMeta
from maskdet.registry.records import SHORT, Lineage
from maskdet.registry.version import Version
from maskdet.wording.markdown import table

_OVERALL: Final = {
    "ap50": "AP50",
    "ap50_95": "AP50:95",
    "ap50_any_class": "AP50 regardless of class",
}
_SAFETY: Final = {
    "bare_passed": "bare faces passed as masked",
    "bare_passed_wide": "... of those wider than 16 px",
    "worn_wrong_as_masked": "masks worn wrong taken for masked",
}
_PROMISED: Final = {
    "bare_passed": ("bare faces passed as masked", True),
    "answered.masked": ("masked faces answered as masked", False),
    "answered.bare": ("bare faces answered as bare", False),
    "answered.worn-wrong": ("masks worn wrong answered as such", False),
    "false_alarms": ("false alarms per face", True),
}
"""What a promise says, and whether its limit is an upper one."""
_PER_CLASS: Final = ("ap50", "precision", "recall", "f1")


def model_card(version: Version, meta: BundleMeta, files: Iterable[str]) -> str:
    """The text of README.md; files: what lies beside it. It names no path of this machine."""
    front = yaml.safe_dump(_front(version, meta), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n" + "\n".join(_body(version, meta, sorted(files))) + "\n"


def _front(version: Version, meta: BundleMeta) -> dict[str, Any]:
    figures = [
        {"type": name, "name": shown, "value": round(meta.metrics[name], 4)}
        for name, shown in _OVERALL.items()
        if name in meta.metrics
    ]
    data = {
        "name": f"val of manifest {_short(meta.manifest_sha256)}",
        "type": "private",
        "split": "validation",
    }
    result = {"task": {"type": "object-detection"}, "dataset": data, "metrics": figures}
    return {
        "license": meta.licence.lower(),
        "library_name": "onnx",
        "pipeline_tag": "object-detection",
        "tags": ["face-mask-detection", "object-detection", "onnx", meta.variant, "maskdet"],
        **({"model-index": [{"name": version.model, "results": [result]}]} if figures else {}),
    }


def _body(version: Version, meta: BundleMeta, files: Sequence[str]) -> Iterator[str]:
    lineage = version.record.lineage
    height, width = meta.input_size
    yield f"# {version.model}, version {version.number}\n"
    yield "Finds faces in pictures and says whether each one wears a mask.\n"
    yield "```python"
    yield 'import maskdet\n\nfaces = maskdet.load("model.onnx")("photo.jpg")'
    yield "faces.verdict, faces.counts\n```\n"
    yield _table(("", ""), _facts(version, meta, f"{width} x {height} px"))
    yield "\n## Classes\n"
    yield _table(("class", "role", "threshold", *_PER_CLASS, "faces on val"), _classes(meta, lineage.counts))
    yield f"\nThresholds: {_plain(meta.describe_thresholds())}.\n"
    yield "## Figures on val\n"
    yield _table(("figure", "value"), _figures(meta))
    if promised := list(_promise(meta)):
        yield "\n## Promise\n"
        yield "Faces wider than 16 px, on pictures that neither chose thresholds nor calibrated scores.\n"
        yield _table(("promise", "limit", "value", "95 % interval", "kept"), promised)
    yield "\n## Data\n"
    yield f"{_data(lineage)}\n"
    yield "Val also chose the thresholds: expect lower figures on other pictures, and measure on your own.\n"
    yield "## Files\n"
    yield from (f"- `{name}`" for name in files)


def _facts(version: Version, meta: BundleMeta, size: str) -> Iterator[tuple[str, str]]:
    lineage = version.record.lineage
    yield "architecture", meta.variant
    yield "input", f"one RGB picture, resized to {size}"
    yield "bundle", f"`{version.record.bundle}`"
    yield "registered", version.record.created[:10]
    yield "training started from", lineage.start or "unknown"
    yield "code", ", ".join(f"{name} {value}" for name, value in lineage.code.items()) or "unknown"
    yield "licence", meta.licence


def _classes(meta: BundleMeta, counts: dict[str, int]) -> Iterator[tuple[str, ...]]:
    for label in meta.labels:
        figures = (_share(meta.metrics.get(f"{name}.{label}")) for name in _PER_CLASS)
        faces = str(counts.get(f"faces.{label}", "unknown"))
        yield label, meta.roles.get(label, "unknown"), f"{meta.thresholds[label]:.3f}", *figures, faces


def _figures(meta: BundleMeta) -> Iterator[tuple[str, str]]:
    for name, shown in {**_OVERALL, **_SAFETY}.items():
        yield shown, _share(meta.metrics.get(name))
    scored = "calibrated" if meta.calibration else "not calibrated"
    yield (
        f"mean gap between scores and the share of them that is right, {scored}",
        _share(meta.metrics.get("ece")),
    )
    alarms = meta.metrics.get("false_alarms_per_1000")
    yield "false alarms per 1000 faces", "unknown" if alarms is None else f"{alarms:.1f}"


def _promise(meta: BundleMeta) -> Iterator[tuple[str, ...]]:
    for name, (shown, upper) in _PROMISED.items():
        told = {end: meta.metrics.get(f"promise.{name}.{end}") for end in ("limit", "low", "high")}
        value, limit = meta.metrics.get(f"promise.{name}"), told["limit"]
        if value is None or limit is None:
            continue
        kept = value <= limit if upper else value >= limit
        ends = f"{_share(told['low'])} to {_share(told['high'])}"
        bound = f"at {'most' if upper else 'least'} {_share(limit)}"
        yield shown, bound, _share(value), ends, "yes" if kept else "no"


def _data(lineage: Lineage) -> str:
    parts = ", ".join(f"{count} {part}" for part, count in lineage.pictures.items())
    return f"Pictures: {parts or 'unknown'}. Hash of the manifest: {_short(lineage.data_sha256)}."


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    plain = ([_plain(cell) for cell in row] for row in rows)
    return table(headings, plain, words=range(len(headings)))


def _plain(text: str) -> str:
    """Names are the user's: they must not end a line or be markup."""
    return " ".join(text.split()).replace("<", "&lt;")


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def _short(sha256: str) -> str:
    return sha256[:SHORT] or "unknown"
