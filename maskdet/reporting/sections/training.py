"""How the training went: loss and AP over the epochs."""

from __future__ import annotations

from collections.abc import Sequence

from maskdet.artefacts import Document
from maskdet.reporting.chart import Axis, Line, axis_to, line_chart, line_of
from maskdet.reporting.markup import Markup, element, joined
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import say

_MOST_POINTS = 300
_MOST_WARNINGS = 20


def training(run: RunFiles) -> Markup | None:
    """Two charts, the best epoch, and the warnings."""
    events = run.events
    steps = [event for event in events if event["event"] == "step"]
    epochs = [event for event in events if event["event"] == "epoch"]
    if not steps:
        return None
    charts = element("div", _losses(steps), *([_precision(epochs)] if epochs else []), class_="charts")
    return joined([*_best(events, epochs), charts, *_warnings(events)])


def _best(events: Sequence[Document], epochs: Sequence[Document]) -> list[Markup]:
    best = next((event for event in reversed(epochs) if event["best"]), None)
    if best is None:
        return []
    whole = next((event["epochs"] for event in reversed(events) if event["event"] == "start"), "?")
    said = say("best_epoch", ap50=f"{best['ap50']:.1%}", epoch=str(best["epoch"]), epochs=str(whole))
    return [element("p", said)]


def _losses(steps: Sequence[Document]) -> Markup:
    longest = max(step["step"] for step in steps)
    shown = steps[:: -(-len(steps) // _MOST_POINTS)]
    places = [step["epoch"] - 1 + step["step"] / longest for step in shown]
    lines = [Line(say("loss"), _pairs(places, [step["loss"] for step in shown]))]
    for number, name in enumerate(steps[0]["losses"]):
        values = [step["losses"].get(name, 0.0) for step in shown]
        lines.append(Line(name, _pairs(places, values), *line_of(number)))
    return line_chart(
        say("losses"),
        lines,
        axis_to(say("epoch"), places),
        axis_to(say("loss"), [step["loss"] for step in shown]),
    )


def _precision(epochs: Sequence[Document]) -> Markup:
    numbers = [float(epoch["epoch"]) for epoch in epochs]
    best = [(float(epoch["epoch"]), epoch["ap50"]) for epoch in epochs if epoch["best"]][-1:]
    lines = [
        Line(say("mean_ap50"), _pairs(numbers, [epoch["ap50"] for epoch in epochs]), dots=best),
        Line(say("mean_ap50_95"), _pairs(numbers, [epoch["ap50_95"] for epoch in epochs]), dash="2 3"),
    ]
    for number, name in enumerate(name for name in epochs[-1] if name.startswith("ap50.")):
        points = [(float(epoch["epoch"]), epoch[name]) for epoch in epochs if epoch.get(name) is not None]
        lines.append(Line(name.removeprefix("ap50."), points, *line_of(number)))
    return line_chart(say("ap_by_epoch"), lines, axis_to(say("epoch"), numbers), Axis("AP"))


def _warnings(events: Sequence[Document]) -> list[Markup]:
    said = [event["text"] for event in events if event["event"] == "warning"][-_MOST_WARNINGS:]
    if not said:
        return []
    return [element("h3", say("warnings")), element("ul", *(element("li", text, lang="en") for text in said))]


def _pairs(across: Sequence[float], up: Sequence[float]) -> list[tuple[float, float]]:
    return list(zip(across, up, strict=True))
