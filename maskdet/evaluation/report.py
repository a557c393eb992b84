"""The evaluation in Markdown, for report.md and for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maskdet.evaluation.result import BACKGROUND, ClassEvaluation, Evaluation

ABSENT = "–"
HEADINGS = (
    "class",
    "faces",
    "AP50",
    "AP50:95",
    "threshold",
    "precision",
    "recall",
    "F1",
    "found",
    "false",
    "missed",
)


def markdown_report(evaluation: Evaluation) -> str:
    """Key figures, a table of the classes and the confusion matrix; ends with one newline."""
    blocks = [
        _headline(evaluation),
        _table(HEADINGS, map(_class_row, evaluation.classes)),
        "\n".join(f"- {note}" for note in evaluation.notes),
        "At the thresholds: labelled faces by row, what the model says by column. The last row counts false "
        "alarms, the last column missed faces.",
        _confusion_table(evaluation),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _headline(evaluation: Evaluation) -> str:
    faces = sum(each.truths for each in evaluation.classes)
    return (
        f"AP50 **{_percent(evaluation.ap50)}**, AP50:95 **{_percent(evaluation.ap50_95)}**, "
        f"AP50 of faces whatever their class **{_percent(evaluation.ap50_any_class)}** "
        f"(pictures: {evaluation.pictures}, faces: {faces})."
    )


def _class_row(each: ClassEvaluation) -> list[str]:
    rates = each.figures()
    return [
        each.label,
        str(each.truths),
        _percent(rates["ap50"]),
        _percent(rates["ap50_95"]),
        f"{each.threshold:.3f}",
        *(_percent(rates[name]) for name in ("precision", "recall", "f1")),
        *map(str, (each.true_positives, each.false_positives, each.misses)),
    ]


def _confusion_table(evaluation: Evaluation) -> str:
    names = [*evaluation.thresholds, BACKGROUND]
    rows = zip(names, evaluation.confusion.tolist(), strict=True)
    return _table(("labelled", *names), ([name, *map(str, counts)] for name, counts in rows))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join(map(_line, [headings, rule, *rows]))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _percent(share: float | None) -> str:
    return ABSENT if share is None else f"{share:.1%}"
