"""Mislabelled faces that matter, and the figures of slices."""

from __future__ import annotations

from collections.abc import Iterator

from maskdet.artefacts import Document
from maskdet.reporting.figures import figures_of, interval_text, value_text
from maskdet.reporting.markup import Markup, element, joined, table
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import say, word


def safety(run: RunFiles) -> Markup | None:
    """A row a rate, with counts and interval."""
    judged = run.judged
    if judged is None or "safety" not in judged:
        return None
    figures = figures_of(judged)
    rows = [
        (
            say(name),
            value_text(name, figures[name].value),
            "" if (ends := figures[name].interval) is None else interval_text(name, ends),
            f"{figures[name].count} / {figures[name].of}",
        )
        for name in judged["safety"]
        if name in figures
    ]
    headings = (say("measure"), say("share"), "95 %", say("counts"))
    return joined([element("p", say("safety_note"), class_="quiet"), table(headings, rows)])


def slices(run: RunFiles) -> Markup | None:
    """A row a slice."""
    judged = run.judged
    if judged is None or "slices" not in judged:
        return None
    labels = [label for label, each in judged["classes"].items() if each["threshold"] is not None]
    headings = (
        *(say(name) for name in ("slice", "pictures", "faces", "recall")),
        *(joined([say("ap50"), f" {label}"]) for label in labels),
        say("passed"),
    )
    rows = _slice_rows(judged["slices"], labels)
    return joined([element("p", say("slices_note"), class_="quiet"), table(headings, rows)])


def _slice_rows(told: Document, labels: list[str]) -> Iterator[tuple[str, ...]]:
    for axis, bins in told.items():
        for name, each in bins.items():
            passed = each.get("bare_passed")
            yield (
                joined([word(axis), ": ", word(name)]),
                str(each["pictures"]),
                str(each["faces"]),
                value_text("recall", each["recall"]),
                *(value_text("ap50", each["classes"][label]["ap50"]) for label in labels),
                "–" if passed is None or not passed["of"] else f"{passed['count']} / {passed['of']}",
            )
