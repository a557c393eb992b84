"""What an appraisal adds to the Markdown report: safety, slices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.safety import WIDE, Rate, Safety
from maskdet.evaluation.slices import COLLECTION, Slice
from maskdet.evaluation.tables import ABSENT, between, percent
from maskdet.wording.markdown import table

_WIDER: Final = f"wider than {WIDE:.0f} px"
_RATES: Final = {
    "bare_passed": "bare faces passed as masked",
    "bare_passed_wide": f"... of those {_WIDER}",
    "bare_passed_any": "bare faces with a masked label over its threshold, answered or not",
    "bare_passed_any_wide": f"... of those {_WIDER}",
    "masked_as_bare": "masked faces taken for bare",
    "worn_wrong_as_masked": "masks worn wrong taken for masked",
    "worn_wrong_as_bare": "masks worn wrong taken for bare",
}
_AXES: Final = {
    "face_pixels": "face width, px",
    "faces_per_picture": "faces in a picture",
    "brightness": "brightness",
    COLLECTION: "collection",
}


def safety_blocks(evaluation: Evaluation) -> Iterator[str]:
    """Paragraphs and tables; nothing for an evaluation without an appraisal."""
    if evaluation.safety is None:
        return
    yield "## Safety"
    yield "Widths are those at the network's input. In brackets: 95 % intervals."
    yield _safety_table(evaluation.safety)
    yield "## Slices"
    yield (
        "Recall at the thresholds; AP50 where a slice has 10 faces of the class or more. "
        "dark: mean luma up to 85 of 255, bright: over 140."
    )
    yield _slice_table(evaluation)
    yield "## Pictures"
    yield (
        "[Precision and recall](pr.png), [rates by threshold](thresholds.png), [slices](slices.png), "
        "[scores and what is right](reliability.png), "
        f"[the {len(evaluation.mistakes)} worst mistakes](worst.png)."
    )


def _safety_table(safety: Safety) -> str:
    rows = [[text, *_share(safety.rates[name])] for name, text in _RATES.items() if name in safety.rates]
    alarms = safety.rates["false_alarms_per_1000"]
    ends = "" if alarms.interval is None else f" ({alarms.interval[0]:.0f} to {alarms.interval[1]:.0f})"
    value = ABSENT if alarms.value is None else f"{alarms.value:.0f}{ends}"
    rows.append(["false alarms per 1000 faces", value, str(alarms.count), str(alarms.of)])
    return table(("at the thresholds", "share", "count", "of"), rows)


def _share(rate: Rate) -> list[str]:
    return [percent(rate.value) + between(rate.interval), str(rate.count), str(rate.of)]


def _slice_table(evaluation: Evaluation) -> str:
    labels = [each.label for each in evaluation.classes if each.known]
    headings = ("slice", "pictures", "faces", "recall", *(f"AP50 {label}" for label in labels), "bare passed")
    return table(headings, (_slice_row(each, labels) for each in evaluation.slices))


def _slice_row(each: Slice, labels: list[str]) -> list[str]:
    passed = each.bare_passed
    return [
        f"{_AXES[each.axis]}: {each.name}",
        str(each.pictures),
        str(each.faces),
        percent(each.recall),
        *(percent(each.classes[label].ap50) for label in labels),
        ABSENT if passed is None or not passed.of else f"{passed.count} of {passed.of}",
    ]
