"""What an appraisal says of scores and of its promise, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from maskdet.detector.calibration import Calibration
from maskdet.evaluation.calibration.effect import CalibrationResult
from maskdet.evaluation.calibration.reliability import SEEN_FROM, Reliability
from maskdet.evaluation.policies.promise import Promise, Term
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.tables import ABSENT
from maskdet.wording.markdown import table

_PROMISED: Final = ("promise", "limit", "value", "count", "of", "kept")
_ERRORS: Final = (
    "scores",
    "detections before",
    "error before",
    "detections after",
    "error after",
    "after, by chance",
)


def score_blocks(evaluation: Evaluation) -> Iterator[str]:
    """Paragraphs and tables; nothing for an evaluation without an appraisal."""
    if evaluation.promise is not None:
        yield "## Promise"
        yield from _promise(evaluation.promise)
    if evaluation.calibration is not None:
        yield "## Scores as probabilities"
        yield from _calibration(evaluation.calibration)


def _promise(promise: Promise) -> Iterator[str]:
    yield (
        "For every picture with thresholds that were chosen, and scores that were calibrated, without it."
        if promise.held_out
        else "At the thresholds in force."
    )
    yield table(_PROMISED, map(_term_row, promise.terms))
    yield "\n".join(f"- {note}" for note in promise.notes)


def _term_row(term: Term) -> list[str]:
    rate, ends = term.rate, term.rate.interval
    value = ABSENT if rate.value is None else f"{rate.value:.3f}"
    if ends is not None:
        value += f" ({ends[0]:.3f} to {ends[1]:.3f})"
    kept = ABSENT if term.kept is None else "no" if not term.kept else "proved" if term.proved else "yes"
    bound = f"{'at most' if term.upper else 'at least'} {term.limit:.4g}"
    return [term.text, bound, value, str(rate.count), str(rate.of), kept]


def _calibration(result: CalibrationResult) -> Iterator[str]:
    if result.fitted is None:
        yield "The scores are those of the model: val is too small to calibrate them."
    else:
        yield (
            f"{_state(result, result.fitted)} The error is the mean gap between the scores and the share of "
            f"them that is right (expected calibration error), for scores of {SEEN_FROM} and above. After: "
            "with a temperature fitted on the pictures of the other folds. By chance: the error that perfect "
            "scores would have with this many detections."
        )
    after = {} if result.after is None else dict(result.after.rows())
    yield table(_ERRORS, (_error_row(name, each, after.get(name)) for name, each in result.before.rows()))


def _state(result: CalibrationResult, fitted: Calibration) -> str:
    temperature = fitted.temperature
    if result.in_force:
        return f"Calibrated with temperature {temperature:.3f}."
    built_in = "calibrated in the model file" if result.built_in else "not calibrated"
    return f"The scores in force are {built_in}; this val would give them temperature {temperature:.3f}."


def _error_row(name: str, before: Reliability, after: Reliability | None) -> list[str]:
    cells = [str(before.detections), _error(before.ece)]
    if after is None:
        return [name, *cells, *[ABSENT] * 3]
    return [name, *cells, str(after.detections), _error(after.ece), _error(after.ece_chance)]


def _error(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.3f}"
