"""curves.png: losses, learning rate and AP over the epochs of a training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from maskdet.artefacts import CURVES_PLOT
from maskdet.png import write_png
from maskdet.training.launch.process import Event
from maskdet.training.report.metrics_log import read_metrics


def draw_curves(out: Path) -> None:
    """Plot the folder's metrics to its curves.png; nothing before the first steps."""
    events = read_metrics(out)
    steps = [event for event in events if event["event"] == "step"]
    epochs = [event for event in events if event["event"] == "epoch"]
    if not steps:
        return
    figure = Figure(figsize=(10, 4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _draw_losses(left, steps)
    _draw_ap(right, epochs)
    write_png(figure, out / CURVES_PLOT)


def _draw_losses(axes: Axes, steps: Sequence[Event]) -> None:
    places = _places(steps)
    axes.plot(places, [step["loss"] for step in steps], label="loss", color="black", linewidth=1.8)
    for name in steps[0]["losses"]:
        axes.plot(places, [step["losses"][name] for step in steps], label=name, linewidth=1)
    rate = axes.twinx()
    rate.plot(places, [step["lr"] for step in steps], color="0.6", linestyle=":")
    rate.set_ylabel("learning rate (dotted)", color="0.4")
    axes.set_ylim(bottom=0)
    _frame(axes, "Training losses", "loss", legend="upper right")


def _draw_ap(axes: Axes, epochs: Sequence[Event]) -> None:
    numbers = [epoch["epoch"] for epoch in epochs]
    classes = [name for name in (epochs[0] if epochs else {}) if name.startswith("ap50.")]
    for name in classes:
        axes.plot(
            numbers,
            [epoch.get(name, float("nan")) for epoch in epochs],
            label=name.removeprefix("ap50."),
            linewidth=1,
        )
    axes.plot(
        numbers, [epoch["ap50"] for epoch in epochs], "o-", label="AP50, mean", color="black", markersize=3
    )
    axes.plot(
        numbers, [epoch["ap50_95"] for epoch in epochs], label="AP50:95, mean", color="black", linestyle=":"
    )
    for start in (epoch for epoch in epochs if epoch["epoch"] == 0):
        axes.axhline(
            start["ap50"], color="0.5", linestyle="--", linewidth=1, label=f"start, {start['ap50']:.3f}"
        )
    for epoch in [epoch for epoch in epochs if epoch["best"]][-1:]:
        axes.plot(
            epoch["epoch"],
            epoch["ap50"],
            "*",
            color="tab:red",
            markersize=14,
            label=f"best, {epoch['ap50']:.3f}",
        )
    axes.set_ylim(0, 1)
    _frame(axes, "Average precision on val", "AP", legend="lower right")


def _places(steps: Sequence[Event]) -> list[float]:
    longest = max(step["step"] for step in steps)
    return [step["epoch"] - 1 + step["step"] / longest for step in steps]


def _frame(axes: Axes, title: str, y_name: str, *, legend: Literal["upper right", "lower right"]) -> None:
    """legend: the corner that its curves leave free; matplotlib's own search is slow with many points."""
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.set_ylabel(y_name)
    axes.grid(alpha=0.3)
    axes.legend(loc=legend, fontsize=8)
