"""The evaluation in Markdown, for report.md and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from maskdet.evaluation.metrics.registry import METRICS
from maskdet.evaluation.report.policies import policy_blocks
from maskdet.evaluation.report.safety import safety_blocks
from maskdet.evaluation.report.scores import score_blocks
from maskdet.evaluation.result import BACKGROUND, ClassEvaluation, Evaluation
from maskdet.evaluation.tables import ABSENT, between, percent
from maskdet.wording.markdown import table

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
        table(HEADINGS, map(_class_row, evaluation.classes)),
        "\n".join(f"- {note}" for note in evaluation.notes),
        "At the thresholds: labelled faces by row, what the model says by column. The last row counts false "
        "alarms, the last column missed faces.",
        _confusion_table(evaluation),
        "\n".join(_further_lines(evaluation)),
        *policy_blocks(evaluation),
        *score_blocks(evaluation),
        *safety_blocks(evaluation),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _headline(evaluation: Evaluation) -> str:
    faces = sum(each.truths for each in evaluation.classes)
    answered = "; ".join(f"{name} **{percent(share)}**" for name, share in evaluation.recalls().items())
    return (
        f"AP50 **{percent(evaluation.ap50)}**{between(evaluation.ap50_interval)}, "
        f"AP50:95 **{percent(evaluation.ap50_95)}**, "
        f"AP50 regardless of class **{percent(evaluation.ap50_any_class)}** "
        f"(pictures: {evaluation.pictures}, faces: {faces}). Recall at the thresholds: {answered}."
    )


def _class_row(each: ClassEvaluation) -> list[str]:
    rates = each.figures()
    return [
        each.label,
        str(each.truths),
        percent(rates["ap50"]) + between(each.ap50_interval),
        percent(rates["ap50_95"]),
        f"{each.threshold:.3f}" if each.known else ABSENT,
        *(percent(rates[name]) for name in ("precision", "recall", "f1")),
        *map(str, (each.true_positives, each.false_positives, each.misses)),
    ]


def _further_lines(evaluation: Evaluation) -> Iterator[str]:
    for metric in METRICS:
        if metric.name in evaluation.further:
            yield f"- {metric.meaning}: {percent(evaluation.further[metric.name])}"


def _confusion_table(evaluation: Evaluation) -> str:
    names = [*evaluation.thresholds, BACKGROUND]
    rows = zip(names, evaluation.confusion.tolist(), strict=True)
    return table(("labelled", *names), ([name, *map(str, counts)] for name, counts in rows))
