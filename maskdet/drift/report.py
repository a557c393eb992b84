"""The report of `maskdet drift` as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from html import escape
from pathlib import Path
from typing import Final

from maskdet.drift.decision import Decision
from maskdet.drift.view import FeatureView, VerdictCounts, View
from maskdet.files import write_text

_STYLE: Final = """
:root { color-scheme: light dark; --line: light-dark(#c8d0d5, #3a464d); --val: light-dark(#8a97a0, #7d8b94);
  --seen: light-dark(#0f6e6a, #63c7c1); --bad: light-dark(#b3202a, #ff8f8f); --doubt: light-dark(#8a5600,
  #f2bd5c); --ok: light-dark(#12743a, #6fd394); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; } caption { text-align: left; font-weight: 600; padding: .5rem 0; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.due, .drift { color: var(--bad); font-weight: 600; } .ok, .stable { color: var(--ok); }
.too-few { color: var(--doubt); }
figure { display: inline-block; margin: 0 1.5rem 1rem 0; } figcaption { font-size: .875rem; }
svg { display: block; width: 17rem; height: 7rem; border-bottom: 1px solid var(--line); }
.val { fill: var(--val); color: var(--val); } .seen { fill: var(--seen); color: var(--seen); }
@media print { figure { break-inside: avoid; } }
"""
_WIDTH, _HEIGHT = 272, 112


def write_report(decisions: Sequence[Decision], target: Path) -> None:
    """Write the page, aside and renamed."""
    write_text(target, report(decisions))


def report(decisions: Sequence[Decision]) -> str:
    """The page; scripts and other files are not needed."""
    body = "\n".join(part for decision in decisions for part in _model(decision))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>maskdet drift</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Drift</h1>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def _model(decision: Decision) -> Iterator[str]:
    view, due = decision.view, decision.named("due")
    yield f"<h2>{escape(view.model)}, version {escape(view.version)}</h2>"
    yield f"<p>{_time(view.since)} to {_time(view.until)}, UTC.</p>"
    if due:
        yield f'<p class="due">Retraining is due: {escape(", ".join(due))}.</p>'
    else:
        yield "<p>No rule says that retraining is due.</p>"
    if left := decision.named("too few"):
        yield (f'<p class="too-few">Too few samples to decide, neither way: {escape(", ".join(left))}.</p>')
    yield _table("Rules", ("rule", "value", "limit", "count", "verdict", "why"), _rules(decision))
    yield '<h3>Features</h3>\n<p><span class="val">■</span> val, <span class="seen">■</span> seen.</p>'
    yield "".join(_figure(feature) for feature in view.features)
    yield _table("Cameras", ("camera", *_VERDICTS, "drift"), _cameras(view))
    yield _table("Versions", ("version", "first answer", *_VERDICTS, "drift"), _versions(view))
    yield _table("Days", ("day", *_VERDICTS), _days(view))


_VERDICTS: Final = ("ok", "violation", "uncertain")
Cells = Sequence[str]


def _table(caption: str, headings: Sequence[str], rows: Sequence[Cells]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in headings)
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (
        f'<div class="wide"><table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _rules(decision: Decision) -> list[Cells]:
    return [
        (
            _text(rule.name),
            _number("" if rule.value is None else f"{rule.value:.3g}"),
            _number(f"{rule.limit:g}"),
            _number(str(rule.count)),
            _verdict(rule.verdict),
            _text(rule.why),
        )
        for rule in decision.rules
    ]


def _cameras(view: View) -> list[Cells]:
    return [
        (_text(one.camera or "without a name"), *_counts(one), _verdict(one.drift)) for one in view.cameras
    ]


def _versions(view: View) -> list[Cells]:
    return [
        (_text(one.version), _text(_time(one.since)), *_counts(one), _verdict(one.drift))
        for one in view.versions
    ]


def _days(view: View) -> list[Cells]:
    days: dict[str, list[int]] = {}
    for hour in view.hours:
        sums = days.setdefault(_time(hour.start)[:10], [0, 0, 0])
        for place, count in enumerate((hour.ok, hour.violation, hour.uncertain)):
            sums[place] += count
    return [(_text(day), *(_number(str(count)) for count in sums)) for day, sums in sorted(days.items())]


def _counts(counts: VerdictCounts) -> list[str]:
    return [_number(str(count)) for count in (counts.ok, counts.violation, counts.uncertain)]


def _figure(feature: FeatureView) -> str:
    psi = "no sample" if feature.psi is None else f"PSI {feature.psi:.3f}"
    said = f"{feature.feature}: {psi}, {feature.samples} seen, {feature.reference} on val"
    return (
        f'<figure><svg role="img" aria-label="{escape(said)}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="none">{"".join(_bars(feature))}</svg>'
        f'<figcaption>{escape(said)} <span class="{_class(feature.drift)}">{feature.drift}</span>'
        "</figcaption></figure>\n"
    )


def _bars(feature: FeatureView) -> Iterator[str]:
    """Shares side by side in each bin that either has, and one beyond."""
    filled = [
        place for place, pair in enumerate(zip(feature.expected, feature.seen, strict=True)) if any(pair)
    ]
    places = range(filled[0], filled[-1] + 1) if filled else range(0)
    shares = [
        (kind, [count / max(sum(counts), 1) for count in counts])
        for kind, counts in (("val", feature.expected), ("seen", feature.seen))
    ]
    top = max((max(values) for _, values in shares), default=0) or 1
    step = _WIDTH / max(len(places), 1)
    for number, (kind, values) in enumerate(shares):
        for column, place in enumerate(places):
            height = values[place] / top * _HEIGHT
            left = column * step + number * step * 0.42
            yield (
                f'<rect class="{kind}" x="{left:.1f}" y="{_HEIGHT - height:.1f}" '
                f'width="{step * 0.4:.1f}" height="{height:.1f}"/>'
            )


def _text(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _number(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>'


def _verdict(text: str) -> str:
    return f'<td class="{_class(text)}">{escape(text)}</td>'


def _class(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M")
