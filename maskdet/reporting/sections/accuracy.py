"""Curves, figures by class, and the confusion with background."""

from __future__ import annotations

from collections.abc import Iterator

from maskdet.artefacts import Document
from maskdet.evaluation.result import BACKGROUND
from maskdet.reporting.chart import Axis, Line, line_chart, line_of
from maskdet.reporting.figures import Figure, figure_text, value_text
from maskdet.reporting.markup import Markup, element, joined, table
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import say

_HEADINGS = (
    "class",
    "faces",
    "ap50",
    "ap50_95",
    "threshold",
    "precision",
    "recall",
    "f1",
    "found",
    "false",
    "missed_count",
)


def accuracy(run: RunFiles) -> Markup | None:
    """The evaluation's main part."""
    judged, curves = run.judged, run.curves
    if judged is None:
        return None
    charts = [] if not curves else [element("div", *_charts(judged, curves), class_="charts")]
    notes = [element("li", note, lang="en") for note in judged["notes"]]
    return joined(
        [
            *charts,
            table(map(say, _HEADINGS), (_class_row(*each) for each in judged["classes"].items())),
            *([element("ul", *notes)] if notes else []),
            element("h3", say("confusion")),
            element("p", say("confusion_note"), class_="quiet"),
            _confusion(judged["confusion"]),
        ]
    )


def _charts(judged: Document, curves: Document) -> Iterator[Markup]:
    shown = [
        (number, label)
        for number, label in enumerate(judged["classes"])
        if curves.get(label, {}).get("scores")
    ]
    recall, f1 = [], []
    for number, label in shown:
        each, told = curves[label], judged["classes"][label]
        colour, dash = line_of(number)
        points = list(zip([0.0, *each["recall"]], [*each["precision"][:1], *each["precision"]], strict=True))
        at = [(told["recall"], told["precision"])] if None not in (told["recall"], told["precision"]) else []
        recall.append(Line(label, points, colour, dash, at))
        scores = list(zip([1.0, *each["scores"]], [0.0, *each["f1"]], strict=True))
        f1.append(Line(label, scores, colour, dash, [(told["threshold"], told["f1"] or 0.0)]))
    yield line_chart(say("pr_curve"), recall, Axis(say("recall")), Axis(say("precision")))
    yield line_chart(say("f1_curve"), f1, Axis(say("score_threshold")), Axis("F1"))


def _class_row(label: str, each: Document) -> tuple[str, ...]:
    ends = each["ap50_interval"]
    ap50 = (
        None if each["ap50"] is None else Figure(each["ap50"], None if ends is None else (ends[0], ends[1]))
    )
    threshold = each["threshold"]
    return (
        label,
        str(each["truths"]),
        figure_text("ap50", ap50),
        value_text("ap50_95", each["ap50_95"]),
        "–" if threshold is None else f"{threshold:.3f}",
        *(value_text(name, each[name]) for name in ("precision", "recall", "f1")),
        *(str(each[name]) for name in ("true_positives", "false_positives", "misses")),
    )


def _confusion(told: Document) -> Markup:
    names = [say("background") if name == BACKGROUND else name for name in told["labels"]]
    head = element("tr", *(element("th", name, scope="col") for name in (say("labelled"), *names)))
    rows = (_confusion_row(name, *each) for name, each in zip(names, enumerate(told["counts"]), strict=True))
    whole = element("table", element("thead", head), element("tbody", *rows), class_="confusion")
    return element("div", whole, class_="wide", tabindex="0", role="group")


def _confusion_row(name: str, number: int, counts: list[int]) -> Markup:
    whole = sum(counts) or 1
    cells = (
        element(
            "td",
            str(count),
            class_=f"{'right' if column == number else 'wrong'} heat{min(4, 5 * count // whole)}",
        )
        for column, count in enumerate(counts)
    )
    return element("tr", element("th", name, scope="row"), *cells)
