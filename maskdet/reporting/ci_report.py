"""What a CI job reports, in Markdown: for the job's summary, and for one comment in a pull request.

Names come from strangers' branches: each is one line of inline code, in which nothing is a link, a mention or
markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from maskdet.artefacts import Document
from maskdet.dataset.findings import clean
from maskdet.evaluation.tables import ABSENT
from maskdet.gates.ruling import REFUSALS, shown
from maskdet.reporting.delivery import PARTS, DataChange, Delivery, Fate
from maskdet.wording.markdown import table

MAX_BYTES: Final = 60_000
"""Of a comment: GitHub takes 65,536 characters."""
_MARKS: Final = {Fate.PROMOTED: "✅", Fate.PASSED: "✅", Fate.REFUSED: "❌", Fate.STEPPED_DOWN: "⏸️"}
_FIRST: Final = "no champion"
_VERDICTS: Final = {"pass": "✅", "fail": "❌", "unmeasured": "❔"}
_NAMED: Final = 10
"""Added pictures that are named for each part."""
_LETTERS: Final = 120
_CUT: Final = "\n\nCut here: the whole report is `report.html` among the artefacts.\n"


@dataclass(frozen=True, slots=True)
class CiReport:
    """Everything the report shows. gates: a gates.json; change: None if the champion's data is not known;
    command: reproduces the job from `commit`, "" if that is not known.
    """

    name: str
    delivery: Delivery
    gates: Document | None
    change: DataChange | None
    command: str
    commit: str = ""

    def markdown(self) -> str:
        """What a reviewer sees, most important first; at most MAX_BYTES of UTF-8."""
        delivery = self.delivery
        blocks = [
            marker(self.name),
            f"## {_MARKS[delivery.fate]} {self.name}: {delivery.headline()}",
            "\n".join(f"- {_text(line)}" for line in delivery.reasons),
            *self._comparison(),
            *self._rules(),
            *self._data(),
            *self._pictures(),
            *self._command(),
        ]
        return bounded([block for block in blocks if block])

    def _comparison(self) -> Iterator[str]:
        rows = [row for rule in (self.gates or {}).get("rules", ()) if (row := _compared(rule)) is not None]
        if rows:
            heads = ("", "champion", "challenger", "difference", "95 % interval", "counted on")
            yield table(heads, rows)

    def _rules(self) -> Iterator[str]:
        if self.gates is None:
            return
        passed = sum(rule["verdict"] not in REFUSALS for rule in self.gates["rules"])
        yield f"### Gates: {passed} of {len(self.gates['rules'])} passed"
        yield (
            f"On {self.gates['pictures']} pictures of val with {self.gates['faces']} faces; "
            f"left out because a model was trained on them: {len(self.gates['left_out'])}."
        )
        told = [rule for rule in self.gates["rules"] if rule["verdict"] != _FIRST]
        yield table(("gate", "verdict", "value", "limit", "counted on", "why"), map(_rule, told))
        if without := len(self.gates["rules"]) - len(told):
            yield f"{without} gates compare with a champion, and there is none yet."

    def _data(self) -> Iterator[str]:
        change = self.change
        yield "### Data"
        if change is None:
            yield "There is no champion whose data is known to compare with."
            return
        rows = [(part, f"+{len(change.added[part])}", f"-{change.removed[part]}") for part in PARTS]
        yield table(("pictures", "added", "removed"), rows)
        for part in PARTS:
            if names := change.added[part]:
                more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
                yield f"Added to {part}: {', '.join(map(_code, names[:_NAMED]))}{more}."

    def _pictures(self) -> Iterator[str]:
        deciding = (self.gates or {}).get("deciding", {})
        for title, kind in (("Worst regressions", "regressions"), ("Best gains", "gains")):
            if pictures := deciding.get(kind):
                yield f"### {title}"
                heads = ("picture", "champion's mistakes", "challenger's mistakes", "effect on AP50")
                yield table(heads, map(_deciding, pictures))
                yield f"Drawn side by side in `ci/deciding/{kind}.png` among the artefacts."

    def _command(self) -> Iterator[str]:
        checkout = [f"git checkout {clean(self.commit, 64)}"] if self.commit else []
        yield "### Reproduce"
        yield "\n".join(["```", *checkout, clean(self.command, 1000).replace("`", "'"), "```"])


def failure_report(name: str, error: str) -> str:
    """The report of a job that could not judge a model."""
    quoted = "\n".join(f"    {clean(line, 400)}" for line in error.splitlines()[:40])
    return bounded([marker(name), f"## ❌ {name}: the job failed", quoted])


def marker(name: str) -> str:
    """A hidden line by which the comment of an earlier job is found."""
    return f"<!-- maskdet run --ci: {name} -->"


def bounded(blocks: Sequence[str], limit: int = MAX_BYTES) -> str:
    """The blocks that fit as a whole; says so if some do not."""
    text = ""
    for block in blocks:
        longer = f"{text}\n\n{block}" if text else block
        if len((longer + _CUT).encode()) > limit:
            return f"{text}{_CUT}"
        text = longer
    return f"{text}\n"


def _compared(rule: Mapping[str, Any]) -> tuple[str, ...] | None:
    if rule["champion"] is None or rule["challenger"] is None:
        return None
    unit = rule["unit"]
    level = {"points": "share", "difference": "per 1000"}.get(unit, unit)
    sides = [_level(rule[who], level) for who in ("champion", "challenger")]
    return _code(rule["name"]), *sides, shown(rule["value"], unit), _ends(rule), _counted(rule)


def _level(value: float, unit: str) -> str:
    return f"{value:.1f}" if unit == "ratio" else shown(value, "share" if unit == "share" else "per 1000")


def _rule(rule: Mapping[str, Any]) -> tuple[str, ...]:
    verdict = f"{_VERDICTS.get(rule['verdict'], '')} {rule['verdict']}"
    value, limit = (shown(rule[name], rule["unit"]) for name in ("value", "limit"))
    return _code(rule["name"]), verdict, value, limit, _counted(rule), _text(rule["why"])


def _ends(rule: Mapping[str, Any]) -> str:
    if rule["interval"] is None:
        return ABSENT
    return " to ".join(shown(end, rule["unit"]) for end in rule["interval"])


def _counted(rule: Mapping[str, Any]) -> str:
    return f"{rule['count']} {rule['of']}" if rule["of"] else ABSENT


def _deciding(each: Mapping[str, Any]) -> tuple[str, ...]:
    effect = f"{100 * each['ap50_effect']:+.2f} points"
    return _code(each["picture"]), *(str(each[who]["mistakes"]) for who in ("champion", "challenger")), effect


def _code(text: str) -> str:
    """An untrusted name as inline code."""
    return f"`{clean(text, _LETTERS).replace('`', chr(39))}`"


def _text(text: str) -> str:
    """An untrusted sentence as plain words."""
    kept = clean(text, 4 * _LETTERS)
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>!|#" else letter for letter in kept).replace(
        "@", "@\u200b"
    )
