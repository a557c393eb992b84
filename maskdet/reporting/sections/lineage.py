"""What the model was made from, and how closely the exported one agrees with it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from maskdet import __version__
from maskdet.reporting.markup import Markup, element, joined, table
from maskdet.reporting.run_files import RunFiles, VersionFacts
from maskdet.reporting.texts import say, word
from maskdet.system.times import duration


def parity(run: RunFiles) -> Markup | None:
    """A row a comparison."""
    told = run.parity
    if told is None:
        return None
    note = say(
        "parity_note",
        pictures=str(told["pictures"]),
        score=f"{told['score_tolerance']:g}",
        box=f"{told['box_tolerance']:g}",
    )
    headings = map(say, ("between", "batch", "score_difference", "box_difference", "matched"))
    rows = (
        (
            word(each["between"]),
            str(each["batch_size"]),
            f"{each['score_difference']:.2g}",
            f"{each['box_difference']:.2g}",
            f"{each['matched']} / {each['detections']}",
        )
        for each in told["comparisons"]
    )
    return joined([element("p", note, class_="quiet"), table(headings, rows)])


def lineage(run: RunFiles) -> Markup | None:
    """Stages, hashes and every setting that a stage depended on."""
    if not run.stages:
        return None
    headings = map(say, ("stage", "state", "time", "key_figure"))
    rows = (
        (
            stage.name,
            say("finished" if stage.finished else "unfinished"),
            duration(stage.seconds) if stage.finished else "",
            element("span", stage.figure, lang="en"),
        )
        for stage in run.stages
    )
    settings = element(
        "details",
        element("summary", say("settings")),
        table((say("setting"), say("value")), _settings(run)),
    )
    return joined(
        [
            element("p", say("lineage_note"), class_="quiet"),
            element("div", table(headings, rows), class_="text"),
            element("dl", *_hashes(run), class_="pairs"),
            settings,
        ]
    )


def _hashes(run: RunFiles) -> Iterator[Markup]:
    version = run.version
    registered = () if version is None else _registered(version)
    for key, value in (
        *registered,
        ("manifest_hash", run.manifest.data_hash if run.manifest else ""),
        ("bundle_hash", run.bundle_hash),
        ("commit", f"maskdet {__version__} {version.commit if version else ''}".strip()),
    ):
        if value:
            yield element("div", element("dt", say(key)), element("dd", element("code", value)))


def _registered(version: VersionFacts) -> tuple[tuple[str, str], ...]:
    return (
        ("registered_as", version.reference),
        ("aliases", ", ".join(version.aliases)),
        ("started_from", version.start),
        ("last_move", version.last_move),
    )


def _settings(run: RunFiles) -> Iterator[tuple[str, Markup]]:
    """Every input of every stage once."""
    seen = {name: value for stage in run.stages for name, value in stage.inputs.items()}
    for name, value in sorted(seen.items()):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield name, element("code", text)
